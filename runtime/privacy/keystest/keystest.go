// Package keystest is the contract of a store of keys as a suite of tests. It runs against any [privacy.KeyStore], whatever its
// database, and fails where the store does not keep a promise:
//
//	keystest.Run(t, keystest.Harness[*sql.Tx]{Store: store, Begin: begin})
package keystest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/privacy"
	"github.com/eventmap/eventmap/runtime/storetest"
)

// A Harness is what the suite needs to know of a store.
type Harness[Tx any] struct {
	// Store is the store over an empty table of keys.
	Store privacy.KeyStore[Tx]
	// Begin begins a transaction, at the isolation level that the store recommends. A store whose calls are transactions of
	// their own returns one whose Commit and Rollback do nothing, and is Without Transactions.
	Begin func(context.Context) (storetest.Transaction[Tx], error)
	// Snapshots is the store of snapshots in the same database. Nil: snapshots are not tested.
	Snapshots runtime.SnapshotStore[Tx]
	// Without lists the abilities that the store does not have, of Transactions and ConcurrentWriters.
	Without []storetest.Ability
}

// Run runs the suite.
func Run[Tx any](t *testing.T, h Harness[Tx]) {
	s := &suite[Tx]{Harness: h}
	for _, c := range []struct {
		name  string
		needs []storetest.Ability
		run   func(*suite[Tx], *testing.T)
	}{
		{"a key is made once", nil, (*suite[Tx]).madeOnce},
		{"keys that are cached ask nothing", nil, (*suite[Tx]).cached},
		{"a batch is one query", nil, (*suite[Tx]).batch},
		{"odd subjects", nil, (*suite[Tx]).oddSubjects},
		{"a key that is rolled back is not cached", []storetest.Ability{storetest.Transactions}, (*suite[Tx]).rolledBack},
		{"two first appends give one key", []storetest.Ability{storetest.Transactions, storetest.ConcurrentWriters}, (*suite[Tx]).twoFirst},
		{"a first append follows one that is rolled back", []storetest.Ability{storetest.Transactions, storetest.ConcurrentWriters}, (*suite[Tx]).firstAfterRollback},
		{"many make the same keys at once", nil, (*suite[Tx]).manyAtOnce},
		{"forget", nil, (*suite[Tx]).forget},
		{"forget who has no key", nil, (*suite[Tx]).forgetStranger},
		{"what is rolled back is not forgotten", []storetest.Ability{storetest.Transactions}, (*suite[Tx]).forgetRolledBack},
		{"forget waits for a first append", []storetest.Ability{storetest.Transactions, storetest.ConcurrentWriters}, (*suite[Tx]).forgetWaits},
		{"forget as of a time", nil, (*suite[Tx]).forgetAsOf},
		{"readmit", nil, (*suite[Tx]).readmit},
		{"many readmit at once", nil, (*suite[Tx]).manyReadmit},
		{"readmit waits for another", []storetest.Ability{storetest.Transactions, storetest.ConcurrentWriters}, (*suite[Tx]).readmitWaits},
		{"forget deletes sealed snapshots", nil, (*suite[Tx]).snapshots},
		{"rewrap in steps", nil, (*suite[Tx]).rewrap},
		{"a restored backup", nil, (*suite[Tx]).restored},
		{"unknown IDs", nil, (*suite[Tx]).unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, ability := range c.needs {
				if slices.Contains(h.Without, ability) {
					t.Skipf("the store is without %s", ability)
				}
			}
			c.run(s, t)
		})
	}
}

type suite[Tx any] struct {
	Harness[Tx]
	subjects atomic.Int64
}

// patience is how long the suite waits for what is sure to come, and moment how long it gives another goroutine to be wrong.
const (
	patience = 5 * time.Minute
	moment   = 50 * time.Millisecond
)

// subject returns a subject that no other case uses.
func (s *suite[Tx]) subject() string { return fmt.Sprintf("subject-%d", s.subjects.Add(1)) }

// process returns keys as another process would have them.
func (s *suite[Tx]) process(t *testing.T, opts ...privacy.Option) *privacy.Keys[Tx] {
	t.Helper()
	return privacy.NewKeys(s.Store, wrapper(t, 1), opts...)
}

// wrapper returns the wrapper of a number.
func wrapper(t *testing.T, number byte) privacy.KeyWrapper {
	t.Helper()
	w, err := privacy.NewLocalWrapper(bytes.Repeat([]byte{number}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// begin begins a transaction that is rolled back with the case.
func (s *suite[Tx]) begin(t *testing.T) storetest.Transaction[Tx] {
	t.Helper()
	tx, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	return tx
}

// in runs do in a transaction and commits it.
func (s *suite[Tx]) in(t *testing.T, do func(tx Tx)) {
	t.Helper()
	tx := s.begin(t)
	do(tx.Tx)
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// place is where all values of the suite stand.
var place = privacy.Place{AggregateType: "Account", AggregateID: "7", EventID: uuid.Max, EventType: "Opened", EventVersion: 1, Field: "name"}

// seal seals a text for a subject in a transaction.
func seal[Tx any](t *testing.T, keys *privacy.Keys[Tx], tx Tx, subject, text string) privacy.Sealed {
	t.Helper()
	ring, err := keys.ForSubjects(t.Context(), tx, subject)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := ring.Seal(place, subject, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

// sealed seals a text for a subject in a transaction of its own.
func (s *suite[Tx]) sealed(t *testing.T, keys *privacy.Keys[Tx], subject, text string) (value privacy.Sealed) {
	t.Helper()
	s.in(t, func(tx Tx) { value = seal(t, keys, tx, subject, text) })
	return value
}

// open opens a value in a transaction. What was erased is "erased".
func open[Tx any](t *testing.T, keys *privacy.Keys[Tx], tx Tx, value privacy.Sealed) string {
	t.Helper()
	ring, err := keys.ByID(t.Context(), tx, value.KeyID())
	if err != nil {
		t.Fatal(err)
	}
	plaintext, erased, err := ring.Open(place, value)
	if err != nil {
		t.Fatal(err)
	}
	if erased {
		return "erased"
	}
	return string(plaintext)
}

// opens fails the test unless a value is opened as want in a transaction of its own.
func (s *suite[Tx]) opens(t *testing.T, keys *privacy.Keys[Tx], value privacy.Sealed, want string) {
	t.Helper()
	s.in(t, func(tx Tx) {
		if got := open(t, keys, tx, value); got != want {
			t.Errorf("opened %q, want %q", got, want)
		}
	})
}

// forgotten fails the test unless a subject is refused in a transaction, which is usable afterwards.
func (s *suite[Tx]) forgotten(t *testing.T, keys *privacy.Keys[Tx], subject string) {
	t.Helper()
	s.in(t, func(tx Tx) {
		if _, err := keys.ForSubjects(t.Context(), tx, subject); !errors.Is(err, privacy.ErrForgotten) {
			t.Errorf("keys for a forgotten subject: %v, want ErrForgotten", err)
		}
		if _, err := s.Store.FindKeys(t.Context(), tx, privacy.KeyQuery{Subjects: []string{subject}}); err != nil {
			t.Errorf("the transaction is over: %v", err)
		}
	})
}

// A counting store counts the calls of another.
type counting[Tx any] struct {
	privacy.KeyStore[Tx]
	calls int
}

func (c *counting[Tx]) MakeKeys(ctx context.Context, tx Tx, keys []privacy.StoredKey, readmit bool) ([]privacy.StoredKey, error) {
	c.calls++
	return c.KeyStore.MakeKeys(ctx, tx, keys, readmit)
}

func (c *counting[Tx]) FindKeys(ctx context.Context, tx Tx, query privacy.KeyQuery) ([]privacy.StoredKey, error) {
	c.calls++
	return c.KeyStore.FindKeys(ctx, tx, query)
}
