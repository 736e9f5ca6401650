package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/internal/appending"
)

// A LogAppend is an append to a stream of a log, or a guard on one.
type LogAppend struct {
	Log string
	runtime.StreamAppend
}

// AppendStreams appends to streams of several logs with names, all or nothing, with guards; see [Store.AppendStreams], which it calls for
// each log, in the order of the logs' names. So calls that append to the same logs wait for each other, and never deadlock. It takes a round
// trip for each log, and two for a savepoint: an error, such as a [*runtime.ConflictError], leaves nothing of the call in the transaction,
// which stays as usable as after [Store.AppendStreams]. With [NewLogsPool] the call is a transaction of its own.
//
// The logs are locked until the transaction ends, and whoever appends to one of them waits. A retry whose events are all stored is
// recognised; where only those of some logs are, the error is [runtime.ErrDuplicateEvent].
//
// Streams that are spread over [HashedLogs] are found by the AppendStreams of a store. On Citus, several logs are refused with
// [ErrSeveralLogs].
func (l *Logs[Tx]) AppendStreams(ctx context.Context, tx Tx, appends ...LogAppend) ([]runtime.AppendResult, error) {
	results, err := l.appendStreams(ctx, tx, appends)
	if err != nil {
		return nil, fmt.Errorf("append to streams of several logs: %w", err)
	}
	return results, nil
}

func (l *Logs[Tx]) appendStreams(ctx context.Context, tx Tx, appends []LogAppend) ([]runtime.AppendResult, error) {
	byLog := make(map[string][]int) // places in appends
	for i, a := range appends {
		byLog[a.Log] = append(byLog[a.Log], i)
	}
	names := slices.Sorted(maps.Keys(byLog))
	switch {
	case len(appends) == 0:
		return nil, runtime.ErrNoEvents
	case l.store.tables.hashed > 0:
		return nil, errors.New("streams are spread over the logs; use AppendStreams of a store")
	case l.store.tables.citus && len(names) > 1:
		return nil, ErrSeveralLogs
	}
	for _, log := range names { // before anything is stored
		s := l.store.inLog(log)
		if s.invalid != nil {
			return nil, s.invalid
		}
		if err := appending.ValidateStreams(pick(appends, byLog[log]), s.validateStream); err != nil {
			return nil, fmt.Errorf("log %q: %w", log, err)
		}
	}
	results := make([]runtime.AppendResult, len(appends))
	each := func(q querier) error {
		for _, log := range names {
			s := l.store.inLog(log)
			s.alone = false
			of, err := s.appendStreams(ctx, q, pick(appends, byLog[log]))
			if err != nil {
				return fmt.Errorf("log %q: %w", log, s.tables.classify(err, true))
			}
			for i, place := range byLog[log] {
				results[place] = of[i]
			}
		}
		return checkStoredAlike(appends, results)
	}
	q, err := l.store.querier(ctx, tx)
	if err != nil {
		return nil, err
	}
	if pool, ok := any(tx).(*pgxpool.Pool); ok {
		err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { return each(pgxQuerier{tx}) })
	} else {
		err = within(ctx, q, "eventmap_logs", func() error { return each(q) })
	}
	return results, err
}

// pick returns the appends at some places.
func pick(appends []LogAppend, places []int) []runtime.StreamAppend {
	picked := make([]runtime.StreamAppend, len(places))
	for i, place := range places {
		picked[i] = appends[place].StreamAppend
	}
	return picked
}

// checkStoredAlike returns an error if some of the appends were stored before, and others were not.
func checkStoredAlike(appends []LogAppend, results []runtime.AppendResult) error {
	before, all := 0, 0
	for i := range appends {
		if appends[i].IsGuard() {
			continue
		}
		all++
		if results[i].AlreadyStored {
			before++
		}
	}
	if before > 0 && before < all {
		return fmt.Errorf("%w: %d of the %d streams hold their events", runtime.ErrDuplicateEvent, before, all)
	}
	return nil
}

// within runs f behind a savepoint, to which it goes back if f fails.
func within(ctx context.Context, q querier, savepoint string, f func() error) error {
	if err := exec(ctx, q, query{sql: "savepoint " + savepoint}); err != nil {
		return err
	}
	err := f()
	if err != nil {
		// The caller's context may be what ended the statement, and the transaction is to go on all the same.
		ctx = context.WithoutCancel(ctx)
		err = errors.Join(err, exec(ctx, q, query{sql: "rollback to savepoint " + savepoint}))
	}
	return errors.Join(err, exec(ctx, q, query{sql: "release savepoint " + savepoint}))
}
