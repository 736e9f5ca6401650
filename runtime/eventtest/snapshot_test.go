package eventtest_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/eventtest"
)

// A stay is a state with fields of which JSON keeps only some values.
type stay struct {
	Guests  []string
	Extras  []string `json:",omitempty"`
	Rates   map[string]int
	Mean    float64
	Until   time.Time
	Name    string
	Note    *string `json:",omitempty"`
	Secrets int     `json:"-"`
	Anything
}

// Anything is kept as another type than it was: JSON has one of numbers.
type Anything struct{ Value any }

// A generated test folds samples of all events. It finds what a snapshot would change; what it keeps, it lets pass.
func TestStateRoundTrip(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("CEST", 2*60*60)
	for name, tt := range map[string]struct {
		fold func(s *stay, n int)
		want string // "" passes
	}{
		"nil slice":                    {func(s *stay, _ int) { s.Guests = nil }, ""},
		"empty slice":                  {func(s *stay, _ int) { s.Guests = []string{} }, ""},
		"empty slice that is left out": {func(s *stay, _ int) { s.Extras = []string{} }, "is another one:\n  Extras: want empty, not nil, got nil"},
		"empty only now and then": {func(s *stay, n int) {
			if s.Extras == nil {
				s.Extras = []string{}
			} else {
				s.Extras = append(s.Extras, fmt.Sprint(n))
			}
		}, "a state from a snapshot is another one"},
		"nil map": {func(s *stay, n int) {
			if s.Rates == nil {
				s.Name += fmt.Sprint(n)
			}
		}, ""},
		"empty map":                      {func(s *stay, _ int) { s.Rates = map[string]int{} }, ""},
		"a number":                       {func(s *stay, n int) { s.Mean = 1 / float64(n) }, ""},
		"NaN":                            {func(s *stay, _ int) { s.Mean = math.NaN() }, "a state cannot be kept as a snapshot"},
		"infinity":                       {func(s *stay, _ int) { s.Mean = math.Inf(1) }, "a state cannot be kept as a snapshot"},
		"minus zero":                     {func(s *stay, _ int) { s.Mean = math.Copysign(0, -1) }, ""},
		"a time":                         {func(s *stay, n int) { s.Until = time.Unix(int64(n), 5).UTC() }, ""},
		"a time with a zone":             {func(s *stay, n int) { s.Until = time.Unix(int64(n), 0).In(zone) }, "is another one:\n  Until: want 1970-01-01 02:00:03 +0200 CEST, got 1970-01-01 02:00:03 +0200 +0200"},
		"a year that JSON does not take": {func(s *stay, _ int) { s.Until = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, "a state cannot be kept as a snapshot"},
		"no text":                        {func(s *stay, _ int) { s.Name += "\xff" }, "a state from a snapshot is another one"},
		"any text":                       {func(s *stay, _ int) { s.Name += "\x00<ü\u2028>" }, ""},
		"a pointer":                      {func(s *stay, n int) { note := fmt.Sprint(n); s.Note = &note }, ""},
		"a field that is left out":       {func(s *stay, n int) { s.Secrets = n }, "is another one:\n  Secrets: want 3, got 0"},
		"any value":                      {func(s *stay, n int) { s.Value = n }, "is another one:\n  Anything.Value: want 3 (int), got 3 (float64)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := failed(t, func(t testing.TB) {
				eventtest.StateRoundTrip(t, func(s *stay, n int) error {
					tt.fold(s, n)
					return nil
				}, []int{1, 2, 3})
			})
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// A booked is an event with fields that a fold may keep as they are.
type booked struct {
	At     int64
	Guests []string
	Prices map[string]int
}

// A bookedSum is what a generated sum looks like.
type bookedSum struct{ value any }

func (s bookedSum) Value() any { return s.value }

// A booking is a state that two of whose fields may point to one value.
type booking struct {
	At            time.Time
	Guests        []string
	Prices        map[string]int
	Best, Cheap   *booking
	Folded, Spare int
}

// What the fold keeps of an event, and changes later, is no difference: a load decodes each event anew. What two fields share
// is one, though only the next event of the kind shows it.
func TestStateRoundTrip_shared(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fold func(s *booking, e booked)
		want string
	}{
		"of the event": {func(s *booking, e booked) {
			if s.Folded++; s.Folded > 1 {
				s.Guests[0] += "!"
				s.Prices["single"]++
				return
			}
			s.Guests, s.Prices = e.Guests, e.Prices
		}, ""},
		"of two fields": {func(s *booking, _ booked) {
			if s.Best == nil {
				s.Best = new(booking)
				s.Cheap = s.Best
			}
			s.Best.Folded++
		}, "is another one:\n  Cheap.Folded: want 2, got 1"},
		"a time in seconds":              {func(s *booking, e booked) { s.At = time.Unix(e.At, 0).UTC() }, ""},
		"a year that JSON does not take": {func(s *booking, e booked) { s.At = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, "a state cannot be kept as a snapshot"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sample := eventtest.Sample[booked]()
			sample.Prices = map[string]int{"single": 80}
			for form, run := range map[string]func(testing.TB){
				"value": func(t testing.TB) {
					eventtest.StateRoundTrip(t, func(s *booking, e booked) error { tt.fold(s, e); return nil }, []booked{sample})
				},
				"pointer": func(t testing.TB) {
					eventtest.StateRoundTrip(t, func(s *booking, e *booked) error { tt.fold(s, *e); return nil }, []*booked{&sample})
				},
				"interface": func(t testing.TB) {
					eventtest.StateRoundTrip(t, func(s *booking, e any) error { tt.fold(s, e.(booked)); return nil }, []any{sample})
				},
				"interface with a pointer": func(t testing.TB) {
					eventtest.StateRoundTrip(t, func(s *booking, e any) error { tt.fold(s, *e.(*booked)); return nil }, []any{&sample})
				},
				"sum": func(t testing.TB) {
					eventtest.StateRoundTrip(t, func(s *booking, e bookedSum) error { tt.fold(s, e.value.(booked)); return nil }, []bookedSum{{sample}})
				},
				"sum with a pointer": func(t testing.TB) {
					eventtest.StateRoundTrip(t, func(s *booking, e bookedSum) error { tt.fold(s, *e.value.(*booked)); return nil }, []bookedSum{{&sample}})
				},
			} {
				got := failed(t, run)
				if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
					t.Errorf("%s: got %q, want %q", form, got, tt.want)
				}
			}
		})
	}
}

// An event that the fold refuses is left out, and changes nothing.
func TestStateRoundTrip_refused(t *testing.T) {
	t.Parallel()
	fold := func(s *stay, n int) error {
		s.Guests = append(s.Guests, fmt.Sprint(n))
		switch n {
		case 2:
			return fmt.Errorf("no room")
		case 3:
			panic("no bed")
		}
		return nil
	}
	if got := failed(t, func(t testing.TB) { eventtest.StateRoundTrip(t, fold, []int{1, 2, 3, 4}) }); got != "" {
		t.Errorf("got %q", got)
	}
}

// A scenario of a state with snapshots meets each state without one and from one; where that is another, it fails.
func TestScenario_fromSnapshots(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fold func(*stay, int)
		want string
	}{
		"kept whole": {func(s *stay, cents int) { s.Mean += float64(cents) }, ""},
		"lost":       {func(s *stay, cents int) { s.Secrets += cents }, "is another one:\n  Secrets: want 5, got 0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folded := func(s *stay, event any) error {
				if e, ok := event.(deposited); ok {
					tt.fold(s, e.Cents)
				}
				return nil
			}
			run := func(t testing.TB, snapshots bool) {
				s := eventtest.NewScenario(t, "Account", toStored, fromStored, folded)
				if snapshots {
					s = s.FromSnapshots()
				}
				s.Given(opened{Owner: "Ada"}, deposited{Cents: 5}).
					When(func(stay) ([]any, error) { return []any{deposited{Cents: 1}}, nil }).Then(deposited{Cents: 1})
			}
			if got := failed(t, func(t testing.TB) { run(t, false) }); got != "" {
				t.Errorf("without snapshots: %q", got)
			}
			got := failed(t, func(t testing.TB) { run(t, true) })
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("with snapshots: %q, want %q", got, tt.want)
			}
		})
	}
}

// A store in memory answers as a database does where snapshots are spoiled, and tells of those that it keeps.
func TestStore_snapshotFaults(t *testing.T) {
	t.Parallel()
	store, key := eventtest.NewStore[int](), runtime.SnapshotKey{AggregateType: "Account", AggregateID: "1", Fingerprint: "f"}
	stored, err := toStored("Account", "1", []any{opened{Owner: "Ada"}, deposited{Cents: 1}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Append(t.Context(), 0, runtime.NoStream(), stored); err != nil {
		t.Fatal(err)
	}
	store.FailSnapshots(fmt.Errorf("the disk is full"))
	if err := store.SaveSnapshot(t.Context(), 0, key, runtime.Snapshot{Version: 1, State: []byte("1")}); err == nil || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("got %v", err)
	}
	store.FailSnapshots(nil)
	if err := store.SaveSnapshot(t.Context(), 0, key, runtime.Snapshot{Version: 1, State: []byte("1")}); err != nil {
		t.Fatal(err)
	}
	if got := store.Snapshots(); len(got) != 1 || string(got[key].State) != "1" {
		t.Errorf("the store has %v", got)
	}
	store.SpoilSnapshots(func(_ runtime.SnapshotKey, s runtime.Snapshot) runtime.Snapshot {
		s.State[0] = 'x'
		return s
	})
	if got, rest, err := store.ReadFromSnapshot(t.Context(), 0, key); err != nil || string(got.State) != "x" || got.Version != 1 || rest.Len() != 1 {
		t.Errorf("got %v with %d events, %v", got, rest.Len(), err)
	}
}
