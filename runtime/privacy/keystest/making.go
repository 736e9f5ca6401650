package keystest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime/privacy"
	"github.com/eventmap/eventmap/runtime/storetest"
)

func (s *suite[Tx]) madeOnce(t *testing.T) {
	subject, here, there := s.subject(), s.process(t), s.process(t)
	value := s.sealed(t, here, subject, "1")
	for _, keys := range []*privacy.Keys[Tx]{here, there} {
		if again := s.sealed(t, keys, subject, "2"); again.KeyID() != value.KeyID() {
			t.Error("the subject has a second key")
		}
		s.opens(t, keys, value, "1")
	}
}

func (s *suite[Tx]) cached(t *testing.T) {
	store := &counting[Tx]{KeyStore: s.Store}
	subject := s.subject()
	value := s.sealed(t, s.process(t), subject, "1")
	for name, use := range map[string]func(*privacy.Keys[Tx]){
		"sealing": func(keys *privacy.Keys[Tx]) { s.sealed(t, keys, subject, "2") },
		"opening": func(keys *privacy.Keys[Tx]) { s.opens(t, keys, value, "1") },
	} {
		keys := privacy.NewKeys[Tx](store, wrapper(t, 1))
		for range 5 {
			use(keys)
		}
		if store.calls != 1 {
			t.Errorf("%s five times made %d calls, want 1", name, store.calls)
		}
		store.calls = 0
		keys = privacy.NewKeys[Tx](store, wrapper(t, 1), privacy.WithTTL(0))
		use(keys)
		use(keys)
		if store.calls != 2 {
			t.Errorf("%s twice without a cache made %d calls, want 2", name, store.calls)
		}
		store.calls = 0
	}
}

func (s *suite[Tx]) batch(t *testing.T) {
	const many = 500
	store := &counting[Tx]{KeyStore: s.Store}
	subjects := make([]string, many)
	for i := range subjects {
		subjects[i] = s.subject()
	}
	var ids []uuid.UUID
	s.in(t, func(tx Tx) {
		ring, err := privacy.NewKeys[Tx](store, wrapper(t, 1)).ForSubjects(t.Context(), tx, slices.Concat(subjects, subjects)...)
		if err != nil {
			t.Fatal(err)
		}
		for _, subject := range subjects {
			value, err := ring.Seal(place, subject, []byte(subject))
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, value.KeyID(), value.KeyID())
		}
	})
	if store.calls != 1 {
		t.Errorf("%d subjects took %d calls, want 1", many, store.calls)
	}
	store.calls = 0
	s.in(t, func(tx Tx) {
		ring, err := privacy.NewKeys[Tx](store, wrapper(t, 1)).ByID(t.Context(), tx, ids...)
		if err != nil {
			t.Fatal(err)
		}
		for i, id := range ids {
			if subject, erased, ok := ring.Subject(id); subject != subjects[i/2] || erased || !ok {
				t.Fatalf("key %d is of %q, erased %t, known %t", i, subject, erased, ok)
			}
		}
	})
	if store.calls != 1 {
		t.Errorf("%d keys took %d calls, want 1", many, store.calls)
	}
}

func (s *suite[Tx]) oddSubjects(t *testing.T) {
	keys := s.process(t)
	for _, odd := range []string{"O'Brien", `"quoted"`, `back\slash`, "{a,b}", "null", "Ünïcode 🧑", "line\nbreak", " ", strings.Repeat("x", 1000)} {
		subject := s.subject() + odd
		value := s.sealed(t, keys, subject, odd)
		s.opens(t, s.process(t), value, odd)
		if other := s.sealed(t, keys, strings.ToUpper(subject), odd); other.KeyID() == value.KeyID() && strings.ToUpper(subject) != subject {
			t.Errorf("%q and its upper case have one key", subject)
		}
	}
	for _, subject := range []string{"", "a\x00b", "\xff", strings.Repeat("x", 1025)} {
		s.in(t, func(tx Tx) {
			if _, err := keys.ForSubjects(t.Context(), tx, subject); err == nil {
				t.Errorf("a key for the subject %.20q", subject)
			}
			if err := keys.Forget(t.Context(), tx, subject); err == nil {
				t.Errorf("forgot the subject %.20q", subject)
			}
		})
	}
}

func (s *suite[Tx]) rolledBack(t *testing.T) {
	subject, keys := s.subject(), s.process(t)
	tx := s.begin(t)
	lost := seal(t, keys, tx.Tx, subject, "1")
	if again := seal(t, keys, tx.Tx, subject, "2"); again.KeyID() != lost.KeyID() {
		t.Error("the transaction does not see the key that it made")
	}
	if got := open(t, keys, tx.Tx, lost); got != "1" {
		t.Errorf("the transaction reads %q", got)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	value := s.sealed(t, keys, subject, "3")
	if value.KeyID() == lost.KeyID() {
		t.Error("a value is sealed under a key that was rolled back")
	}
	s.opens(t, s.process(t), value, "3")
}

// racing makes the first key of a subject in a transaction, and in another one at the same time, which has to wait for the
// first to end. It returns both values.
func (s *suite[Tx]) racing(t *testing.T, end func(storetest.Transaction[Tx]) error) (first, second privacy.Sealed) {
	t.Helper()
	subject := s.subject()
	tx := s.begin(t)
	first = seal(t, s.process(t), tx.Tx, subject, "1")
	done := make(chan struct{})
	go func() {
		defer close(done)
		second = s.sealed(t, s.process(t), subject, "2")
	}()
	select {
	case <-done:
		t.Error("the second transaction did not wait for the first")
	case <-time.After(moment):
	}
	if err := end(tx); err != nil {
		t.Fatal(err)
	}
	s.wait(t, done)
	s.opens(t, s.process(t), second, "2")
	return first, second
}

func (s *suite[Tx]) wait(t *testing.T, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("the second transaction waits for ever")
	}
}

func (s *suite[Tx]) twoFirst(t *testing.T) {
	first, second := s.racing(t, func(tx storetest.Transaction[Tx]) error { return tx.Commit(t.Context()) })
	if first.KeyID() != second.KeyID() {
		t.Error("the subject has two keys")
	}
	s.opens(t, s.process(t), first, "1")
}

func (s *suite[Tx]) firstAfterRollback(t *testing.T) {
	first, second := s.racing(t, func(tx storetest.Transaction[Tx]) error { return tx.Rollback(t.Context()) })
	if first.KeyID() == second.KeyID() {
		t.Error("a value is sealed under a key that was rolled back")
	}
}

// manyAtOnce makes the same keys in many transactions, in different orders: one key for each subject, and no deadlock.
func (s *suite[Tx]) manyAtOnce(t *testing.T) {
	const processes, many = 8, 20
	subjects := make([]string, many)
	for i := range subjects {
		subjects[i] = s.subject()
	}
	got := make([]map[string]uuid.UUID, processes)
	var all sync.WaitGroup
	for p := range processes {
		all.Go(func() {
			order := make([]string, many)
			for i := range order {
				order[i] = subjects[(i*(2*p+1)+p)%many]
			}
			keys := s.process(t)
			got[p] = make(map[string]uuid.UUID)
			s.in(t, func(tx Tx) {
				ring, err := keys.ForSubjects(t.Context(), tx, order...)
				if err != nil {
					t.Errorf("process %d: %v", p, err)
					return
				}
				for _, subject := range order {
					value, err := ring.Seal(place, subject, nil)
					if err != nil {
						t.Errorf("process %d: %v", p, err)
					}
					got[p][subject] = value.KeyID()
				}
			})
		})
	}
	all.Wait()
	for p := range got {
		if fmt.Sprint(got[p]) != fmt.Sprint(got[0]) && len(got[p]) == many {
			t.Errorf("processes 0 and %d have different keys", p)
		}
	}
}

func (s *suite[Tx]) unknown(t *testing.T) {
	keys := s.process(t)
	value := s.sealed(t, keys, s.subject(), "1")
	data, err := value.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	id := uuid.New()
	copy(data[1:], id[:])
	if err := value.UnmarshalBinary(data); err != nil {
		t.Fatal(err)
	}
	s.in(t, func(tx Tx) {
		ring, err := keys.ByID(t.Context(), tx, id)
		if err != nil {
			t.Fatal(err)
		}
		if _, erased, err := ring.Open(place, value); erased || !isIntegrity(err) {
			t.Errorf("a value of an unknown key: erased %t, %v; want ErrIntegrity", erased, err)
		}
	})
}
