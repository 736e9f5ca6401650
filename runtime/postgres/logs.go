package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime"
)

// Logs are the stores of many logs in one database; see [ManyLogs]. It is immutable and safe for concurrent use.
//
//	logs, err := postgres.NewLogs()
//	orders := domain.NewOrderStore(logs.Of("tenant-7"))
type Logs[Tx any] struct {
	store *Store[Tx]
	sql   logStatements
}

// NewLogs returns the logs for the caller's pgx transactions; see [New]. Options are those of a store; without a [Layout] among
// them it is [ManyLogs].
func NewLogs(opts ...Option) (*Logs[pgx.Tx], error) { return newLogs(bindPgx, opts) }

// NewLogsSQL returns the logs for the caller's database/sql transactions; see [NewSQL].
func NewLogsSQL(opts ...Option) (*Logs[*sql.Tx], error) { return newLogs(bindSQL, opts) }

// NewLogsPool returns the logs as stores each of whose calls is a transaction of its own; see [NewPool].
func NewLogsPool(opts ...Option) (*Logs[*pgxpool.Pool], error) {
	l, err := newLogs(bindPool, opts)
	if err == nil {
		l.store.alone = true
	}
	return l, err
}

func newLogs[Tx any](bind func(Tx) querier, opts []Option) (*Logs[Tx], error) {
	s, err := newLayoutStore(bind, append([]Option{ManyLogs}, opts...))
	if err != nil {
		return nil, err
	}
	if !s.tables.areMany() {
		return nil, fmt.Errorf("logs: %w; leave postgres.OneLog out", errOneLog)
	}
	var c Config
	for _, o := range opts {
		o.apply(&c)
	}
	t, err := c.consumerTables()
	if err != nil {
		return nil, err
	}
	t.tables = s.tables
	texts, err := renderLogs(t)
	if err != nil {
		return nil, err
	}
	return &Logs[Tx]{s, texts}, nil
}

// Of returns the store of one log. It costs next to nothing, so it may be made for each request. The first append creates the
// log; one that does not exist reads as empty. Every call of a store whose log has a name that is invalid is a
// [*runtime.InvalidEventError] with the field "log": names have 1 to 255 bytes and are otherwise like stream IDs.
//
// With [HashedLogs] only what is asked of a log as a whole is asked of this one; a stream is in the log of its ID.
func (l *Logs[Tx]) Of(log string) *Store[Tx] { return l.store.inLog(log) }

// inLog returns the store for a log.
func (s *Store[Tx]) inLog(log string) *Store[Tx] {
	in := *s
	in.log, in.invalid = log, nil
	switch hashed := s.tables.hashed; {
	case !s.tables.areMany() && log != "":
		in.invalid = fmt.Errorf("log %q: %w", log, errOneLog)
	case s.tables.areMany() && (hashed == 0 || log != ""):
		in.invalid = checkLog(log)
	}
	if n, err := strconv.Atoi(log); in.invalid == nil && s.tables.hashed > 0 && log != "" && (err != nil || n < 0 || n >= s.tables.hashed || strconv.Itoa(n) != log) {
		in.invalid = &runtime.InvalidEventError{Index: -1, Field: "log", Reason: fmt.Sprintf("%q is none of 0 to %d", log, s.tables.hashed-1)}
	}
	return &in
}

// A LogState is a log as its row has it.
type LogState struct {
	Log       string
	Position  int64     // of its last event that is committed; 0: it has none
	DroppedAt time.Time // zero: it is in use
}

// List returns the logs whose names are after a name, in the order of their names, byte by byte; at most limit. Logs that were
// dropped are among them.
func (l *Logs[Tx]) List(ctx context.Context, tx Tx, after string, limit int) ([]LogState, error) {
	if limit < 1 {
		return nil, fmt.Errorf("list the logs: %w: %d", errLimit, limit)
	}
	q, err := l.store.querier(ctx, tx)
	var states []LogState
	if err == nil {
		states, err = collect(ctx, q, query{l.sql.list, []any{after, int64(limit)}}, func(r rows) (LogState, error) {
			var s LogState
			var dropped sql.NullTime
			err := r.Scan(&s.Log, &s.Position, &dropped)
			s.DroppedAt = dropped.Time
			return s, err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("list the logs: %w", l.store.tables.classify(err, false))
	}
	return states, nil
}

// Create creates a log that has no events, or does nothing if there is one. A log that was dropped begins anew. An append
// creates its log by itself; Create is for logs that are to be seen before, and after [Logs.Drop].
func (l *Logs[Tx]) Create(ctx context.Context, tx Tx, log string) error {
	s := l.store.inLog(log)
	q, err := s.querier(ctx, tx)
	if err == nil {
		err = exec(ctx, q, query{l.sql.create, []any{log}})
	}
	if err != nil {
		return fmt.Errorf("create log %q: %w", log, s.tables.classify(err, false))
	}
	return nil
}

// dropBatch is how many rows of a table one statement of Drop deletes.
const dropBatch = 10_000

// Drop deletes everything that belongs to a log: events, streams, snapshots, checkpoints and parked events of consumers. It is for a
// tenant that leaves, and cannot be undone. What stays is the name, as that of a log that was dropped: appends of processes that
// do not know it yet are [ErrLogDropped], until [Logs.Create].
//
// It deletes in batches of 10,000 rows. With [NewLogsPool] each is a transaction of its own, and after an error Drop goes on where
// it was; else all are part of tx. From its beginning on, appends are refused, and consumers leave the log alone. The role needs
// delete on the events table, which an application does not have where `migrate-gen --grant` gave its rights, and an append-only
// log refuses. A log that does not exist is [ErrUnknownLog].
func (l *Logs[Tx]) Drop(ctx context.Context, tx Tx, log string) error {
	if err := l.drop(ctx, tx, log); err != nil {
		return fmt.Errorf("drop log %q: %w", log, err)
	}
	return nil
}

func (l *Logs[Tx]) drop(ctx context.Context, tx Tx, log string) error {
	s := l.store.inLog(log)
	if s.tables.hashed > 0 {
		return fmt.Errorf("its streams are those of all %d logs", s.tables.hashed)
	}
	q, err := s.querier(ctx, tx)
	if err != nil {
		return err
	}
	var known bool
	if err := queryRow(ctx, q, query{l.sql.markDropped, []any{log, s.clock()}}, &known); err != nil {
		return s.tables.classify(err, false)
	}
	if !known {
		return ErrUnknownLog
	}
	for _, table := range l.sql.dropFrom {
		var there bool
		if err := queryRow(ctx, q, query{l.sql.isThere, []any{table.name}}, &there); err != nil {
			return err
		}
		for deleted := int64(dropBatch); there && deleted == dropBatch; {
			if err := queryRow(ctx, q, query{table.sql, []any{log, int64(dropBatch)}}, &deleted); err != nil {
				return s.tables.classify(err, false)
			}
		}
	}
	return nil
}
