package keystest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/privacy"
	"github.com/eventmap/eventmap/runtime/storetest"
)

func isIntegrity(err error) bool {
	var at *privacy.PlaceError
	return errors.Is(err, privacy.ErrIntegrity) && errors.As(err, &at) && at.Place == place
}

func (s *suite[Tx]) forget(t *testing.T) {
	now := time.Now()
	subject, other := s.subject(), s.subject()
	here := s.process(t)
	there := s.process(t, privacy.WithClock(func() time.Time { return now }))
	value, kept := s.sealed(t, here, subject, "1"), s.sealed(t, here, other, "2")
	s.opens(t, here, value, "1")
	s.opens(t, there, value, "1")
	for range 2 { // again is no error
		s.in(t, func(tx Tx) {
			if err := here.Forget(t.Context(), tx, subject, subject); err != nil {
				t.Fatal(err)
			}
		})
	}
	s.opens(t, here, value, "erased")
	s.forgotten(t, here, subject)
	now = now.Add(time.Minute)
	s.opens(t, there, value, "erased")
	s.forgotten(t, there, subject)
	s.opens(t, there, kept, "2")
	s.opens(t, s.process(t), value, "erased")
	s.in(t, func(tx Tx) {
		rows, err := s.Store.FindKeys(t.Context(), tx, privacy.KeyQuery{Subjects: []string{subject}})
		if err != nil || len(rows) != 1 || rows[0].Wrapped != nil || rows[0].WrappedBy != "" || time.Since(rows[0].ForgottenAt).Abs() > time.Hour {
			t.Errorf("the row is %+v, %v", rows, err)
		}
	})
}

func (s *suite[Tx]) forgetStranger(t *testing.T) {
	subject, keys := s.subject(), s.process(t)
	s.in(t, func(tx Tx) {
		if err := keys.Forget(t.Context(), tx, subject); err != nil {
			t.Fatal(err)
		}
	})
	s.forgotten(t, keys, subject)
	s.forgotten(t, s.process(t), subject)
}

// forgetRolledBack also reads in the transaction: what it learns there must not be cached.
func (s *suite[Tx]) forgetRolledBack(t *testing.T) {
	subject, keys := s.subject(), s.process(t)
	value := s.sealed(t, keys, subject, "1")
	tx := s.begin(t)
	if err := keys.Forget(t.Context(), tx.Tx, subject); err != nil {
		t.Fatal(err)
	}
	if got := open(t, keys, tx.Tx, value); got != "erased" {
		t.Errorf("the transaction that forgets reads %q", got)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.opens(t, keys, value, "1")
	if again := s.sealed(t, keys, subject, "2"); again.KeyID() != value.KeyID() {
		t.Error("the subject has another key")
	}
}

func (s *suite[Tx]) forgetWaits(t *testing.T) {
	subject, keys := s.subject(), s.process(t)
	tx := s.begin(t)
	value := seal(t, keys, tx.Tx, subject, "1")
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.in(t, func(tx Tx) {
			if err := s.process(t).Forget(t.Context(), tx, subject); err != nil {
				t.Error(err)
			}
		})
	}()
	select {
	case <-done:
		t.Error("Forget did not wait for the key that is being made")
	case <-time.After(moment):
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.wait(t, done)
	s.opens(t, s.process(t), value, "erased")
	s.forgotten(t, s.process(t), subject)
}

func (s *suite[Tx]) readmit(t *testing.T) {
	subject, other, keys := s.subject(), s.subject(), s.process(t)
	before, kept := s.sealed(t, keys, subject, "1"), s.sealed(t, keys, other, "2")
	for generation := 2; generation <= 3; generation++ {
		s.in(t, func(tx Tx) {
			if err := keys.Forget(t.Context(), tx, subject); err != nil {
				t.Fatal(err)
			}
		})
		for range 2 { // again changes nothing
			s.in(t, func(tx Tx) {
				if err := keys.Readmit(t.Context(), tx, subject, other, subject); err != nil {
					t.Fatal(err)
				}
			})
		}
		after := s.sealed(t, keys, subject, "3")
		s.opens(t, s.process(t), after, "3")
		s.opens(t, s.process(t), before, "erased")
		s.in(t, func(tx Tx) {
			rows, err := s.Store.FindKeys(t.Context(), tx, privacy.KeyQuery{Subjects: []string{subject}})
			if err != nil || len(rows) != generation || rows[generation-1].Generation != generation || rows[generation-1].KeyID != after.KeyID() {
				t.Errorf("the keys are %+v, %v", rows, err)
			}
		})
		before = after
	}
	if again := s.sealed(t, keys, other, "4"); again.KeyID() != kept.KeyID() {
		t.Error("Readmit gave a new key to who was not forgotten")
	}
}

// forgetAsOf forgets as of a time before and after the keys were made: a first key is erased whenever it was made, the one of who
// came back only if it was there.
func (s *suite[Tx]) forgetAsOf(t *testing.T) {
	subject, keys := s.subject(), s.process(t)
	first := s.sealed(t, keys, subject, "1")
	forget := func(at time.Time) {
		s.in(t, func(tx Tx) {
			if err := keys.ForgetAsOf(t.Context(), tx, at, subject); err != nil {
				t.Fatal(err)
			}
		})
	}
	const past, future = -24 * time.Hour, 24 * time.Hour
	forget(time.Now().Add(past))
	s.opens(t, s.process(t), first, "erased")
	s.in(t, func(tx Tx) {
		if err := keys.Readmit(t.Context(), tx, subject); err != nil {
			t.Fatal(err)
		}
	})
	second := s.sealed(t, keys, subject, "2")
	forget(time.Now().Add(past))
	s.opens(t, s.process(t), second, "2")
	forget(time.Now().Add(future))
	s.opens(t, s.process(t), second, "erased")
	s.forgotten(t, s.process(t), subject)
}

// manyReadmit has processes readmit the same subjects at once: one key more for each, and what was sealed before stays erased.
func (s *suite[Tx]) manyReadmit(t *testing.T) {
	const processes, many = 8, 10
	subjects, before := make([]string, many), make([]privacy.Sealed, many)
	for i := range subjects {
		subjects[i] = s.subject()
		before[i] = s.sealed(t, s.process(t), subjects[i], "1")
	}
	s.in(t, func(tx Tx) {
		if err := s.process(t).Forget(t.Context(), tx, subjects...); err != nil {
			t.Fatal(err)
		}
	})
	var all sync.WaitGroup
	for p := range processes {
		all.Go(func() {
			order := slices.Concat(subjects[p:], subjects[:p])
			s.in(t, func(tx Tx) {
				if err := s.process(t).Readmit(t.Context(), tx, order...); err != nil {
					t.Errorf("process %d: %v", p, err)
				}
			})
		})
	}
	all.Wait()
	for i, subject := range subjects {
		s.in(t, func(tx Tx) {
			rows, err := s.Store.FindKeys(t.Context(), tx, privacy.KeyQuery{Subjects: []string{subject}})
			if err != nil || len(rows) != 2 || !rows[0].IsForgotten() || rows[1].IsForgotten() || rows[1].Generation != 2 {
				t.Errorf("the keys are %+v, %v; want one that is forgotten and one that is not", rows, err)
			}
		})
		s.opens(t, s.process(t), before[i], "erased")
		s.opens(t, s.process(t), s.sealed(t, s.process(t), subject, "2"), "2")
	}
}

// readmitWaits has a second Readmit, and then an append, come to a subject that a transaction is readmitting.
func (s *suite[Tx]) readmitWaits(t *testing.T) {
	for name, end := range map[string]func(storetest.Transaction[Tx]) error{
		"commit":   func(tx storetest.Transaction[Tx]) error { return tx.Commit(t.Context()) },
		"rollback": func(tx storetest.Transaction[Tx]) error { return tx.Rollback(t.Context()) },
	} {
		subject := s.subject()
		s.in(t, func(tx Tx) {
			if err := s.process(t).Forget(t.Context(), tx, subject); err != nil {
				t.Fatal(err)
			}
		})
		tx := s.begin(t)
		if err := s.process(t).Readmit(t.Context(), tx.Tx, subject); err != nil {
			t.Fatal(err)
		}
		first := seal(t, s.process(t), tx.Tx, subject, "1")
		s.forgotten(t, s.process(t), subject) // as long as that has not committed
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.in(t, func(tx Tx) {
				if err := s.process(t).Readmit(t.Context(), tx, subject); err != nil {
					t.Error(err)
				}
			})
		}()
		select {
		case <-done:
			t.Errorf("%s: the second Readmit did not wait for the first", name)
		case <-time.After(moment):
		}
		if err := end(tx); err != nil {
			t.Fatal(err)
		}
		s.wait(t, done)
		second := s.sealed(t, s.process(t), subject, "2")
		s.opens(t, s.process(t), second, "2")
		if same := first.KeyID() == second.KeyID(); same != (name == "commit") {
			t.Errorf("%s: the second Readmit has the key of the first: %t", name, same)
		}
		s.in(t, func(tx Tx) {
			rows, err := s.Store.FindKeys(t.Context(), tx, privacy.KeyQuery{Subjects: []string{subject}})
			if err != nil || len(rows) != 2 {
				t.Errorf("%s: the keys are %+v, %v; want one more", name, rows, err)
			}
		})
	}
}

func (s *suite[Tx]) snapshots(t *testing.T) {
	if s.Snapshots == nil {
		t.Skip("the harness has no store of snapshots")
	}
	subject, other, keys := s.subject(), s.subject(), s.process(t)
	one, two := s.sealed(t, keys, subject, "1").KeyID(), s.sealed(t, keys, other, "2").KeyID()
	save := func(stream string, ids ...uuid.UUID) {
		s.in(t, func(tx Tx) {
			key := runtime.SnapshotKey{AggregateType: "Account", AggregateID: subject + stream, Fingerprint: "f"}
			if err := s.Snapshots.SaveSnapshot(t.Context(), tx, key, runtime.Snapshot{Version: 1, State: []byte("{}"), KeyIDs: ids}); err != nil {
				t.Fatal(err)
			}
		})
	}
	save("both", one, two)
	save("one", one)
	save("two", two)
	save("none")
	s.in(t, func(tx Tx) {
		if err := keys.Forget(t.Context(), tx, subject); err != nil {
			t.Fatal(err)
		}
	})
	var left []string
	for _, stream := range []string{"both", "one", "two", "none"} {
		s.in(t, func(tx Tx) {
			n, err := s.Snapshots.DropSnapshots(t.Context(), tx, runtime.SnapshotQuery{AggregateType: "Account", AggregateID: subject + stream})
			if err != nil {
				t.Fatal(err)
			}
			if n > 0 {
				left = append(left, stream)
			}
		})
	}
	if fmt.Sprint(left) != "[two none]" {
		t.Errorf("snapshots that are left: %v; want two and none", left)
	}
}

func (s *suite[Tx]) rewrap(t *testing.T) {
	const many = 25
	name := s.subject() // of the old wrapper, so that no other case has keys of it
	old := privacy.NewKeys(s.Store, wrapper(t, 2), privacy.WithWrapperName(name))
	var values []privacy.Sealed
	var subjects []string
	for range many {
		subject := s.subject()
		subjects = append(subjects, subject)
		values = append(values, s.sealed(t, old, subject, subject))
	}
	s.in(t, func(tx Tx) {
		if err := old.Forget(t.Context(), tx, subjects[0]); err != nil {
			t.Fatal(err)
		}
	})
	both := privacy.NewKeys(s.Store, wrapper(t, 1), privacy.WithOldWrapper(name, wrapper(t, 2)), privacy.WithTTL(0))
	s.opens(t, both, values[1], subjects[1])
	done := 0
	for {
		var n int
		s.in(t, func(tx Tx) {
			var err error
			if n, err = both.Rewrap(t.Context(), tx, 10); err != nil {
				t.Fatal(err)
			}
		})
		if n > 10 {
			t.Fatalf("a step did %d", n)
		}
		if done += n; n == 0 {
			break
		}
	}
	if done < many-1 {
		t.Errorf("%d keys were wrapped anew, want %d", done, many-1)
	}
	after := s.process(t)
	s.opens(t, after, values[0], "erased")
	for i := 1; i < many; i++ {
		s.opens(t, after, values[i], subjects[i])
	}
}

// restored forgets again what a backup has still.
func (s *suite[Tx]) restored(t *testing.T) {
	keys := s.process(t)
	list := func() (all []privacy.ForgottenSubject) {
		s.in(t, func(tx Tx) {
			for f, err := range keys.ForgottenSubjects(t.Context(), tx) {
				if err != nil {
					t.Fatal(err)
				}
				text, err := json.Marshal(f)
				if err != nil {
					t.Fatal(err)
				}
				var read privacy.ForgottenSubject
				if err := json.Unmarshal(text, &read); err != nil {
					t.Fatal(err)
				}
				all = append(all, read)
			}
		})
		return all
	}
	before := list()
	// What a backup has: two keys that were forgotten after it was made, and one of somebody who came back. It does not know the
	// last one yet.
	one, back, stranger := s.subject(), s.subject(), s.subject()
	first, second := s.sealed(t, keys, one, "1"), s.sealed(t, keys, back, "2")
	s.in(t, func(tx Tx) {
		if err := keys.Forget(t.Context(), tx, back); err != nil {
			t.Fatal(err)
		}
		if err := keys.Readmit(t.Context(), tx, back); err != nil {
			t.Fatal(err)
		}
	})
	third := s.sealed(t, keys, back, "3")
	kept := []privacy.ForgottenSubject{
		{Subject: one, KeyID: first.KeyID(), Generation: 1},
		{Subject: back, KeyID: second.KeyID(), Generation: 1},
		{Subject: stranger, KeyID: uuid.Must(uuid.NewV7()), Generation: 1},
	}
	for range 2 {
		s.in(t, func(tx Tx) {
			if err := keys.ForgetAgain(t.Context(), tx, kept...); err != nil {
				t.Fatal(err)
			}
		})
	}
	s.opens(t, keys, first, "erased")
	s.forgotten(t, keys, one)
	s.forgotten(t, keys, stranger)
	s.opens(t, keys, second, "erased")
	s.opens(t, keys, third, "3")
	after := list()
	if len(after) != len(before)+3 {
		t.Fatalf("%d keys are forgotten, and %d were before", len(after), len(before))
	}
	for _, k := range kept {
		if !slices.ContainsFunc(after, func(f privacy.ForgottenSubject) bool {
			return f.KeyID == k.KeyID && f.Subject == k.Subject && f.Generation == k.Generation && !f.ForgottenAt.IsZero()
		}) {
			t.Errorf("%+v is not among those that are forgotten", k)
		}
	}
}
