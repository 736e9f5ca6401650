package postgres

import (
	"fmt"

	"github.com/eventmap/eventmap/runtime"
)

// maxStreamName is how long aggregate type and ID may be together, in bytes. An entry of a B-tree takes 2,704 bytes at
// most ("Limits of B-Tree", nbtree.h), and longer ones would fail in the middle of the transaction.
const maxStreamName = 2600

// validate returns what every store refuses, what PostgreSQL could not index, and what the payload column could not keep.
func (s *Store[Tx]) validate(expected runtime.ExpectedVersion, events []runtime.Event) error {
	if err := runtime.ValidateAppend(expected, events); err != nil {
		return err
	}
	if err := s.validateName(0, events[0].AggregateType, events[0].AggregateID); err != nil {
		return err
	}
	return s.payload.validatePayloads(events)
}

// validateStream is validate for an append or a guard.
func (s *Store[Tx]) validateStream(a runtime.StreamAppend) error {
	if !a.IsGuard() {
		return s.validate(a.Expected, a.Events)
	}
	if err := runtime.ValidateGuard(a); err != nil {
		return err
	}
	return s.validateName(-1, a.AggregateType, a.AggregateID)
}

func (s *Store[Tx]) validateName(index int, aggregateType, aggregateID string) error {
	n := len(s.log) + len(aggregateType) + len(aggregateID)
	if n <= maxStreamName {
		return nil
	}
	return &runtime.InvalidEventError{
		Index:  index,
		Field:  "AggregateID",
		Reason: fmt.Sprintf("has, with AggregateType, %d bytes; PostgreSQL can index %d", n, maxStreamName),
	}
}
