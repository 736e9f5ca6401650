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
	if n := len(events[0].AggregateType) + len(events[0].AggregateID); n > maxStreamName {
		return &runtime.InvalidEventError{
			Index:  0,
			Field:  "AggregateID",
			Reason: fmt.Sprintf("has, with AggregateType, %d bytes; PostgreSQL can index %d", n, maxStreamName),
		}
	}
	return s.payload.validatePayloads(events)
}
