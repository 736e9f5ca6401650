// Package storetest is the contract of an event store as a suite of tests. It runs against any store that implements the
// interfaces of package runtime, whatever its database, and fails where the store does not keep a promise:
//
//	func TestStore(t *testing.T) {
//		pool := ... // an empty database
//		store := ...
//		storetest.Run(t, storetest.Harness[pgx.Tx]{
//			Store: store,
//			Begin: func(ctx context.Context) (storetest.Transaction[pgx.Tx], error) {
//				tx, err := pool.Begin(ctx)
//				return storetest.Transaction[pgx.Tx]{Tx: tx, Commit: tx.Commit, Rollback: tx.Rollback}, err
//			},
//			Remove: func(ctx context.Context, aggregateType, aggregateID string, from, to int64) error {
//				_, err := pool.Exec(ctx, "delete from events where ...", aggregateType, aggregateID, from, to)
//				return err
//			},
//		})
//	}
//
// The database must be empty when the suite begins and must not be used by others while it runs. The cases run one after
// the other, each on streams of its own; to run several suites at once, give each a database.
//
// A store need not offer everything: what its Harness says it is without is not tested, and what it lacks without saying
// so is a failure. No case is skipped in silence.
package storetest

import (
	"context"
	"slices"
	"testing"

	"github.com/eventmap/eventmap/runtime"
)

// A Store is what the suite tests: the four interfaces that every store has. It tests the optional ones too; see
// [Ability].
type Store[Tx any] interface {
	runtime.EventStore[Tx]
	runtime.AggregateStreamReader[Tx]
	runtime.EventReader[Tx]
	runtime.GlobalPositionReader[Tx]
}

// A Transaction is a transaction under test and what ends it.
type Transaction[Tx any] struct {
	Tx       Tx
	Commit   func(context.Context) error
	Rollback func(context.Context) error // after a Commit it does no harm; an error is ignored then
}

// A Harness is what the suite needs to know of a store.
type Harness[Tx any] struct {
	// Store is the store over an empty database.
	Store Store[Tx]
	// Begin begins a transaction, at the isolation level that the store recommends. Concurrent transactions are
	// independent of each other. A store whose calls are transactions of their own returns one whose Commit and Rollback
	// do nothing, and is Without [Transactions].
	Begin func(context.Context) (Transaction[Tx], error)
	// BeginReading begins a transaction that only reads. Nil means that Begin does. It is for stores where a transaction
	// that may write keeps others waiting from its beginning.
	BeginReading func(context.Context) (Transaction[Tx], error)
	// Remove takes events out of a stream behind the store's back and commits that, as an archived partition or a careless
	// delete does: versions from from to to, both included. The stream's head stays, where the store keeps one.
	Remove func(ctx context.Context, aggregateType, aggregateID string, from, to int64) error
	// Without lists the abilities that the store does not have.
	Without []Ability
}

// An Ability is something that a store may lack.
type Ability string

// The abilities. Those that are the name of an interface are also missed when the store does not implement it.
const (
	// Transactions: several calls can be made in one transaction, and be rolled back.
	Transactions Ability = "transactions"
	// ConcurrentWriters: a transaction can append while another that has appended is open.
	ConcurrentWriters Ability = "concurrent writers"
	// ConcurrentReaders: a transaction can read while another that has appended is open.
	ConcurrentReaders Ability = "concurrent readers"
	// DuplicatesElsewhere: an event whose ID is stored in another stream is found. In its own stream it always is.
	DuplicatesElsewhere Ability = "duplicates elsewhere"
	// Removal: events can be taken out of the store's data; see [Harness].Remove.
	Removal         Ability = "removal"
	StreamsAppender Ability = "runtime.StreamsAppender"
	SafePosition    Ability = "runtime.SafePositionReader"
	StreamIterator  Ability = "runtime.StreamIterator"
	LogIterator     Ability = "runtime.LogIterator"
	SnapshotStore   Ability = "runtime.SnapshotStore"
	StreamsReader   Ability = "runtime.StreamsReader"
)

// Run tests the store as subtests of t.
func Run[Tx any](t *testing.T, h Harness[Tx]) {
	s := &suite[Tx]{Harness: h}
	if s.BeginReading == nil {
		s.BeginReading = s.Begin
	}
	s.checkAbilities(t)
	for _, c := range s.cases() {
		if !slices.ContainsFunc(c.needs, s.lacks) {
			t.Run(c.name, c.run)
		}
	}
}

// A testCase is one promise.
type testCase struct {
	name  string
	run   func(*testing.T)
	needs []Ability
}

// cases returns all cases in the order in which they run; the first sees the database empty.
func (s *suite[Tx]) cases() []testCase {
	return slices.Concat(
		s.emptyCases(),
		s.appendCases(),
		s.expectationCases(),
		s.retryCases(),
		s.refusalCases(),
		s.streamCases(),
		s.logCases(),
		s.streamsCases(),
		s.iteratorCases(),
		s.incompleteCases(),
		s.snapshotCases(),
		s.readStreamsCases(),
		s.concurrencyCases(),
	)
}

type suite[Tx any] struct {
	Harness[Tx]
	streams int
}

func (s *suite[Tx]) lacks(a Ability) bool { return slices.Contains(s.Without, a) }

// checkAbilities fails t for everything that the store neither has nor says it is without.
func (s *suite[Tx]) checkAbilities(t *testing.T) {
	t.Helper()
	_, appender := s.Store.(runtime.StreamsAppender[Tx])
	_, safe := s.Store.(runtime.SafePositionReader[Tx])
	_, streams := s.Store.(runtime.StreamIterator[Tx])
	_, log := s.Store.(runtime.LogIterator[Tx])
	_, snapshots := s.Store.(runtime.SnapshotStore[Tx])
	_, reader := s.Store.(runtime.StreamsReader[Tx])
	for _, a := range []struct {
		ability Ability
		has     bool
	}{
		{Removal, s.Remove != nil}, {StreamsAppender, appender}, {SafePosition, safe}, {StreamIterator, streams}, {LogIterator, log},
		{SnapshotStore, snapshots}, {StreamsReader, reader},
	} {
		if !a.has && !s.lacks(a.ability) {
			t.Errorf("the store lacks %s; if that is meant, list it in Harness.Without", a.ability)
			s.Without = append(s.Without, a.ability)
		}
	}
}
