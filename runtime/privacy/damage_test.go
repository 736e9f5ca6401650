package privacy_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/privacy"
)

// tampered is a store whose rows somebody has changed by hand, and that counts how often it is asked for keys.
type tampered struct {
	*privacy.MemoryKeys[tx]
	change func(*privacy.StoredKey)
	asked  int
}

func (s *tampered) FindKeys(ctx context.Context, t tx, query privacy.KeyQuery) ([]privacy.StoredKey, error) {
	s.asked++
	rows, err := s.MemoryKeys.FindKeys(ctx, t, query)
	return s.changed(rows), err
}

func (s *tampered) MakeKeys(ctx context.Context, t tx, keys []privacy.StoredKey, readmit bool) ([]privacy.StoredKey, error) {
	rows, err := s.MemoryKeys.MakeKeys(ctx, t, keys, readmit)
	return s.changed(rows), err
}

func (s *tampered) changed(rows []privacy.StoredKey) []privacy.StoredKey {
	rows = slices.Clone(rows)
	if s.change != nil {
		for i := range rows {
			s.change(&rows[i])
		}
	}
	return rows
}

// A key that was damaged, or exchanged with another's, fails what it sealed, and names the place. All else is readable.
func TestKeys_damagedRow(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(ada, bob []byte) []byte{
		"truncated":          func(ada, _ []byte) []byte { return ada[:len(ada)-1] },
		"empty":              func(_, _ []byte) []byte { return []byte{} },
		"a bit":              func(ada, _ []byte) []byte { changed := slices.Clone(ada); changed[len(changed)-1] ^= 1; return changed },
		"the key of another": func(_, bob []byte) []byte { return bob },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := &tampered{MemoryKeys: privacy.NewMemoryKeys[tx]()}
			before := privacy.NewKeys[tx](store, newWrapper(t))
			ada, bob := seal(t, before, "ada", "1"), seal(t, before, "bob", "2")
			rows, err := store.FindKeys(t.Context(), tx{}, privacy.KeyQuery{Subjects: []string{"bob"}})
			if err != nil || len(rows) != 1 {
				t.Fatal(rows, err)
			}
			store.change = func(row *privacy.StoredKey) {
				if row.Subject == "ada" {
					row.Wrapped = damage(row.Wrapped, rows[0].Wrapped)
				}
			}
			keys := privacy.NewKeys[tx](store, newWrapper(t))
			ring, err := keys.ByID(t.Context(), tx{}, ada.KeyID(), bob.KeyID())
			if err != nil {
				t.Fatalf("ByID: %v, want the keys that are whole", err)
			}
			if got, erased, err := ring.Open(place, bob); string(got) != "2" || erased || err != nil {
				t.Errorf("of the other subject: %q, erased %t, %v", got, erased, err)
			}
			var at *privacy.PlaceError
			got, erased, err := ring.Open(place, ada)
			if got != nil || erased || !errors.Is(err, privacy.ErrIntegrity) || !errors.As(err, &at) || at.Place != place {
				t.Errorf("%q, erased %t, %v; want ErrIntegrity that names the place", got, erased, err)
			}
			var of *privacy.SubjectError
			_, err = keys.ForSubjects(t.Context(), tx{}, "bob", "ada")
			if !errors.Is(err, privacy.ErrIntegrity) || !errors.As(err, &of) || of.Subject != "ada" {
				t.Errorf("sealing: %v, want ErrIntegrity that names the subject", err)
			}
		})
	}
}

// Who rotates the wrapping key and forgets the old one is told which key, which wrapper and which option.
func TestKeys_unknownWrapper(t *testing.T) {
	t.Parallel()
	store := privacy.NewMemoryKeys[tx]()
	s := seal(t, privacy.NewKeys[tx](store, newWrapper(t), privacy.WithWrapperName("of 2025")), "ada", "1")
	other, err := privacy.NewLocalWrapper([]byte(strings.Repeat("8", 32)))
	if err != nil {
		t.Fatal(err)
	}
	_, err = privacy.NewKeys[tx](store, other, privacy.WithWrapperName("of 2026")).ByID(t.Context(), tx{}, s.KeyID())
	if !errors.Is(err, privacy.ErrUnavailable) {
		t.Errorf("error is %v, want ErrUnavailable: nobody can say what the value is", err)
	}
	for _, want := range []string{s.KeyID().String(), `"of 2025"`, `"of 2026"`, "WithOldWrapper"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want it to name %s", err, want)
		}
	}
}

// What is no subject reaches no database, where it would end the transaction, and is not repeated whole.
func TestKeys_hostileSubjects(t *testing.T) {
	t.Parallel()
	for name, subject := range map[string]string{"empty": "", "NUL": "a\x00b", "not UTF-8": "a\xffb", "long": strings.Repeat("long", 1<<18)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := &tampered{MemoryKeys: privacy.NewMemoryKeys[tx]()}
			keys := privacy.NewKeys[tx](store, newWrapper(t))
			_, ids := keys.KeyIDs(t.Context(), tx{}, subject)
			again := keys.ForgetAgain(t.Context(), tx{}, privacy.ForgottenSubject{Subject: subject, KeyID: uuid.New(), Generation: 1})
			var export error
			for _, err := range keys.Export(t.Context(), tx{}, log{}, subject, nil) {
				export = err
			}
			for call, err := range map[string]error{"KeyIDs": ids, "ForgetAgain": again, "Export": export} {
				var of *privacy.SubjectError
				if !errors.As(err, &of) || len(err.Error()) > 250 {
					t.Errorf("%s: %.300v, want a short error about the subject", call, err)
				}
			}
			if store.asked > 0 {
				t.Errorf("the store was asked %d times", store.asked)
			}
		})
	}
}

// Where nothing may be cached, an export asks for keys once a page all the same.
func TestExport_asksOnceAPage(t *testing.T) {
	t.Parallel()
	store := &tampered{MemoryKeys: privacy.NewMemoryKeys[tx]()}
	keys := privacy.NewKeys[tx](store, newWrapper(t), privacy.WithTTL(0))
	var events log
	for i := range int64(10) { // five pages of that log
		s, err := seal(t, keys, "ada", "1").MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, runtime.PersistedEvent{GlobalPosition: i + 1, Event: runtime.Event{Payload: s}})
	}
	store.asked = 0
	read := 0
	for _, err := range keys.Export(t.Context(), tx{}, events, "ada", func(
		ctx context.Context, t tx, keys *privacy.Keys[tx], e *runtime.PersistedEvent,
	) (any, error) {
		return keys.ByID(ctx, t, privacy.AppendKeyIDs(nil, e.Payload)...)
	}) {
		if err != nil {
			t.Fatal(err)
		}
		read++
	}
	if read != 10 || store.asked > 1+5 {
		t.Errorf("%d events, the store was asked %d times; want 10, and once for the subject and for each of five pages", read, store.asked)
	}
}

// To forget one subject leaves the cached keys of others alone, also of those who were forgotten before.
func TestForget_dropsNoKeysOfOthers(t *testing.T) {
	t.Parallel()
	now := time.Now()
	store := &tampered{MemoryKeys: privacy.NewMemoryKeys[tx]()}
	keys := privacy.NewKeys[tx](store, newWrapper(t), privacy.WithClock(func() time.Time { return now }))
	for _, subject := range []string{"zoe", "ada"} {
		if err := keys.Forget(t.Context(), tx{}, subject); err != nil {
			t.Fatal(err)
		}
	}
	if err := keys.Readmit(t.Context(), tx{}, "ada"); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Hour)
	s := seal(t, keys, "ada", "1")
	open(t, keys, s) // is cached from here on
	if err := keys.Forget(t.Context(), tx{}, "bob"); err != nil {
		t.Fatal(err)
	}
	store.asked = 0
	if got, _ := open(t, keys, s); got != "1" || store.asked > 0 {
		t.Errorf("%q, and the store was asked %d times, want what is cached", got, store.asked)
	}
}
