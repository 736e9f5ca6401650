package postgres

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/internal/reading"
)

// ReadFromSnapshot reads a snapshot and the events after it, in one statement; see [runtime.SnapshotStore]. It works at every
// isolation level, in read-only transactions and on a standby.
func (s *Store[Tx]) ReadFromSnapshot(ctx context.Context, tx Tx, key runtime.SnapshotKey) (runtime.Snapshot, runtime.Stream, error) {
	return s.readFromSnapshot(ctx, tx, key, newLent())
}

// LendFromSnapshot calls use with what ReadFromSnapshot returns, and returns the error of use as it is. The slice of the events
// is lent: when use has returned nil, the store reads other events into it. What the events point to, such as payloads, may
// be kept. use may use tx. It is for generated code, which folds the events and keeps none: most of the memory of a load is
// that slice.
func (s *Store[Tx]) LendFromSnapshot(ctx context.Context, tx Tx, key runtime.SnapshotKey, use func(runtime.Snapshot, runtime.Stream) error) error {
	l := s.lent.Get().(*lent)
	snapshot, stream, err := s.readFromSnapshot(ctx, tx, key, l)
	if err != nil {
		return err // which may have the events
	}
	if err := use(snapshot, stream); err != nil {
		return err
	}
	if cap(l.rows) <= manyRows && len(l.names) <= manyRows {
		clear(l.rows) // nothing that they point to is held
		s.lent.Put(l)
	}
	return nil
}

// lent is what one load after the other reads with.
type lent struct {
	rows  []runtime.PersistedEvent // of the last statement
	names names
}

func newLent() *lent { return &lent{names: make(names, 16)} }

// readFromSnapshot reads into the memory of l, if that is enough.
func (s *Store[Tx]) readFromSnapshot(ctx context.Context, tx Tx, key runtime.SnapshotKey, l *lent) (runtime.Snapshot, runtime.Stream, error) {
	if !runtime.ValidName(key.AggregateType) || !runtime.ValidName(key.AggregateID) {
		return runtime.Snapshot{}, runtime.NewStream(key.AggregateType, key.AggregateID, 0, nil), nil
	}
	db := s.bind(tx)
	if db == nil {
		return runtime.Snapshot{}, runtime.Stream{}, errNoTransaction
	}
	snapshot, stream, err := s.fromSnapshot(ctx, db, key, l)
	if err != nil {
		return runtime.Snapshot{}, runtime.Stream{}, fmt.Errorf("read %s %q from its snapshot: %w", key.AggregateType, key.AggregateID, s.snapshotError(err))
	}
	return snapshot, stream, nil
}

func (s *Store[Tx]) fromSnapshot(ctx context.Context, db querier, key runtime.SnapshotKey, l *lent) (runtime.Snapshot, runtime.Stream, error) {
	r, err := db.query(ctx, s.of(key.AggregateID, s.sql.readFromSnapshot, key.AggregateType, key.AggregateID, key.Fingerprint, int64(math.MaxInt64)))
	if err != nil {
		return runtime.Snapshot{}, runtime.Stream{}, err
	}
	d := decoder{names: l.names, stream: &key}
	if l.rows, err = d.collectBeginning(r, l.rows); err != nil {
		return runtime.Snapshot{}, runtime.Stream{}, err
	}
	return reading.FromSnapshot(key, l.rows)
}

// SaveSnapshot keeps a snapshot; see [runtime.SnapshotStore]. In a transaction it works behind a savepoint of its own, so
// that an error does not end the transaction. With a pool it is a transaction of its own.
func (s *Store[Tx]) SaveSnapshot(ctx context.Context, tx Tx, key runtime.SnapshotKey, snapshot runtime.Snapshot) error {
	db := s.bind(tx)
	if db == nil {
		return errNoTransaction
	}
	save := s.of(key.AggregateID, s.sql.saveSnapshot,
		key.AggregateType, key.AggregateID, key.Fingerprint, snapshot.Version, snapshot.State, s.clock(), texts(snapshot.KeyIDs))
	run := func() error { return exec(ctx, db, save) }
	if !s.alone {
		run = func() error {
			return within(ctx, db, "eventmap_snapshot", func() error { return exec(ctx, db, save) })
		}
	}
	if err := run(); err != nil {
		return fmt.Errorf("save a snapshot of %s %q: %w", key.AggregateType, key.AggregateID, s.snapshotError(err))
	}
	return nil
}

// DropSnapshots deletes snapshots; see [runtime.SnapshotStore].
func (s *Store[Tx]) DropSnapshots(ctx context.Context, tx Tx, q runtime.SnapshotQuery) (int64, error) {
	if q.AggregateID != "" && q.AggregateType == "" {
		return 0, errors.New("drop snapshots: an aggregate ID needs its type")
	}
	db, all := s.bind(tx), int64(0)
	if db == nil {
		return 0, errNoTransaction
	}
	for _, log := range s.statementLogs() {
		var dropped int64
		statement := s.across(log, s.sql.dropSnapshots, q.AggregateType, q.AggregateID, timeOrNull(q.SavedBefore), timeOrNull(q.UnusedSince))
		if err := queryRow(ctx, db, statement, &dropped); err != nil {
			return all, fmt.Errorf("drop snapshots: %w", s.snapshotError(err))
		}
		all += dropped
	}
	return all, nil
}

// timeOrNull returns a time as an argument in which none is NULL.
func timeOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

// snapshotError explains what the server says about a statement that needs the table of snapshots.
func (s *Store[Tx]) snapshotError(err error) error {
	var server *pgconn.PgError
	if errors.As(err, &server) {
		switch server.Code {
		case stateUndefinedTable, stateUndefinedColumn:
			return fmt.Errorf("table %s is needed for snapshots, and it or another table is missing or older than this runtime; "+
				"run the SQL that `migrate-gen --snapshots%s` writes: %w", s.tables.snapshots, s.tables.flags(), err)
		case stateInsufficientRights:
			return fmt.Errorf("the role needs select, insert, update and delete on %s: %w", s.tables.snapshots, err)
		}
	}
	return s.tables.classify(err, false)
}
