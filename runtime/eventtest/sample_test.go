package eventtest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/eventtest"
	"github.com/eventmap/eventmap/runtime/mapping"
)

type colour int

func (c colour) MarshalText() ([]byte, error) {
	if c < 1 || c > 3 {
		return nil, fmt.Errorf("no colour %d", c)
	}
	return []byte{"rgb"[c-1]}, nil
}

func (c *colour) UnmarshalText(text []byte) error {
	*c = colour(strings.Index("rgb", string(text)) + 1)
	if *c < 1 {
		return errors.New("no colour")
	}
	return nil
}

type base struct{ Version int64 }

type tree struct {
	Name     string
	Children []tree
	Parent   *tree
}

type everything struct {
	base
	Bool    bool
	Small   int8
	Large   int64
	Huge    uint64
	Float   float32
	Text    string
	Bytes   []byte
	Raw     json.RawMessage
	Time    time.Time
	ID      uuid.UUID
	Length  time.Duration
	Pointer *string
	List    []string
	Pair    [2]int
	Map     map[uuid.UUID][]int
	Tree    tree
	Skipped string `json:"-"`
	Nested  struct{ A, B string }
}

func TestSample_isWholeDistinctAndSurvivesJSON(t *testing.T) {
	t.Parallel()
	want := eventtest.Sample[everything]()
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got everything
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(everything{})); d != "" {
		t.Errorf("round trip (-want +got):\n%s", d)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	if len(fields) != 18 {
		t.Errorf("%d fields, want 18: %s", len(fields), text)
	}
	for name, value := range fields {
		if value == nil {
			t.Errorf("%s is null", name)
		}
	}
	if want.Nested.A == want.Nested.B || want.List[0] == want.List[1] || want.Pair[0] == want.Pair[1] {
		t.Errorf("values are not distinct: %s", text)
	}
	if want.Skipped != "" {
		t.Error("a field that is never written is set")
	}
	if d := cmp.Diff(want, eventtest.Sample[everything](), cmp.AllowUnexported(everything{})); d != "" {
		t.Errorf("two samples differ:\n%s", d)
	}
}

func TestSample_findsWhatATypeAccepts(t *testing.T) {
	t.Parallel()
	type event struct{ A, B, C, D, E colour }
	sample := eventtest.Sample[event]()
	for i, c := range []colour{sample.A, sample.B, sample.C, sample.D, sample.E} {
		if c == 0 {
			t.Errorf("colour %d is not set", i)
		}
	}
}

// opaque shows nothing of what it holds.
type opaque struct{ n int }

func (o opaque) MarshalJSON() ([]byte, error) { return json.Marshal(o.n) }

func (o *opaque) UnmarshalJSON(text []byte) error { return json.Unmarshal(text, &o.n) }

func TestSample_leavesNothingZeroThatCanBeSet(t *testing.T) {
	t.Parallel()
	type event struct {
		Opaque  opaque
		Pointer *opaque
		Number  json.Number
		Big     big.Int
		Address netip.Addr
	}
	eventtest.RoundTrip(t, "T", to[event], from[event])
	sample := eventtest.Sample[event]()
	if sample.Opaque.n == 0 || sample.Pointer.n == 0 || sample.Number == "" || sample.Big.Sign() == 0 || !sample.Address.IsValid() {
		t.Errorf("something is not set: %+v", sample)
	}
}

// day rounds, and comes back in a zone of its own.
type day struct{ time.Time }

const dayForm = "2006-01-02 -0700"

func (d day) MarshalJSON() ([]byte, error) { return json.Marshal(d.Format(dayForm)) }

func (d *day) UnmarshalJSON(text []byte) (err error) {
	d.Time, err = time.Parse(`"`+dayForm+`"`, string(text))
	return err
}

// union panics unless it holds something.
type union struct{ held fmt.Stringer }

func (u union) MarshalJSON() ([]byte, error) { return json.Marshal(u.held.String()) }

func (u *union) UnmarshalJSON(text []byte) error {
	var d time.Duration
	err := json.Unmarshal(text, &d)
	u.held = d
	return err
}

func TestSample_survivesMethodsThatPanic(t *testing.T) {
	t.Parallel()
	type event struct{ A *union }
	eventtest.Sample[event]()
}

func TestSample_isWhatComesBack(t *testing.T) {
	t.Parallel()
	type event struct {
		Day  day
		Past *day
	}
	eventtest.RoundTrip(t, "T", to[event], from[event])
	sample := eventtest.Sample[event]()
	if sample.Day.Year() != 2026 || sample.Past.Year() != 2026 {
		t.Errorf("something is not set: %+v", sample)
	}
}

// lossy forgets a field on its way.
type lossy struct{ A, B string }

func (l *lossy) UnmarshalJSON(text []byte) error {
	var fields map[string]string
	err := json.Unmarshal(text, &fields)
	l.A = fields["A"]
	return err
}

func to[E any](aggregateType, aggregateID string, e E, opts ...runtime.Option) (runtime.Event, error) {
	return mapping.Encode(mapping.NewEncoder(mapping.NewSettings(opts...), aggregateType, aggregateID), aggregateType, "E", 1, &e)
}

func from[E any](e runtime.PersistedEvent, opts ...runtime.Option) (E, error) {
	settings := mapping.NewSettings(opts...)
	return mapping.Decode[E](settings.Codec(), &e)
}

// failures records instead of failing.
type failures struct {
	testing.TB
	errors []string
}

func (f *failures) Helper() {}

func (f *failures) Errorf(format string, args ...any) {
	f.errors = append(f.errors, fmt.Sprintf(format, args...))
}

func TestRoundTrip_showsALoss(t *testing.T) {
	t.Parallel()
	f := &failures{TB: t}
	eventtest.RoundTrip(f, "T", to[lossy], from[lossy])
	if len(f.errors) != 1 || !strings.Contains(f.errors[0], `"B": "b-3"`) {
		t.Errorf("errors = %q, want the lost field shown", f.errors)
	}
	eventtest.RoundTrip(t, "T", to[everything], from[everything])
	eventtest.RoundTrip(t, "T", to[*tree], from[*tree])
}
