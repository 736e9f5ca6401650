package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/eventmap/eventmap/runtime"
)

// ErrEngine: the server speaks PostgreSQL's protocol but cannot keep one log: it is YugabyteDB or CockroachDB, a worker of
// Citus, or a coordinator that distributes the tables in another way than the store has been told. The first call of a store looks; [Check] says the same.
var ErrEngine = errors.New("the server cannot keep this log")

// errNoTransaction: a method was called with nil where the transaction belongs.
var errNoTransaction = &runtime.InvalidEventError{Index: -1, Field: "tx", Reason: "is nil"}

// An engine remembers that a server has been found to be one that can keep a log.
type engine struct{ known atomic.Bool }

// querier returns what runs statements in tx. The first call of a store looks at the server, which takes a round trip.
func (s *Store[Tx]) querier(ctx context.Context, tx Tx) (querier, error) {
	q := s.bind(tx)
	if q == nil {
		return nil, errNoTransaction
	}
	if s.invalid != nil {
		return nil, s.invalid
	}
	return q, s.verify(ctx, q)
}

// verify returns [ErrEngine] if the server cannot keep one log, and a [*runtime.CheckError] if the session's settings would have
// values taken for others.
func (s *Store[Tx]) verify(ctx context.Context, q querier) error {
	if s.engine.known.Load() {
		return nil
	}
	k := checker{ctx: ctx, run: q.query, tables: s.tables}
	if err := k.engine(); err != nil {
		return err
	}
	if err := k.layout(); err != nil {
		return err
	}
	if len(k.problems) > 0 {
		return fmt.Errorf("%w: %w", ErrEngine, &runtime.CheckError{Problems: k.problems})
	}
	if err := k.session(); err != nil {
		return err
	}
	if len(k.problems) > 0 {
		return &runtime.CheckError{Problems: k.problems}
	}
	s.engine.known.Store(true)
	return nil
}
