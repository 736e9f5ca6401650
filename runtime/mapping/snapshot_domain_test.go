package mapping_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/mapping"
)

// A shape is a state with a field of each kind that a fold may change. Order tells whether an event was missed, repeated or out of
// order, whatever the others are.
type shape struct {
	Order  uint64
	Count  int
	Text   string
	Flag   *bool
	List   []int
	Names  map[string]int
	Nested struct{ Lines []line }
	At     time.Time
}

type line struct {
	Item  string
	Count *int
}

// steps are what an applier is made of: each changes the state by an event's number.
var steps = []func(*shape, int){
	func(s *shape, n int) { s.Count += n },
	func(s *shape, n int) { s.Count *= n },
	func(s *shape, n int) { s.Text += string(rune('a' + (n+9)%26)) },
	func(s *shape, _ int) { s.Text = strings.ToUpper(s.Text) },
	func(s *shape, n int) { on := n%2 == 0; s.Flag = &on },
	func(s *shape, _ int) { s.Flag = nil },
	func(s *shape, n int) { s.List = append(s.List, n, s.Count) },
	func(s *shape, _ int) { s.List = nil },
	func(s *shape, n int) {
		if len(s.List) > 0 {
			s.List[len(s.List)-1] += n
		}
	},
	func(s *shape, n int) {
		if s.Names == nil {
			s.Names = map[string]int{}
		}
		s.Names[fmt.Sprint("ü", n)] = s.Count
	},
	func(s *shape, n int) { delete(s.Names, fmt.Sprint("ü", n)) },
	func(s *shape, n int) {
		count := s.Count
		s.Nested.Lines = append(s.Nested.Lines, line{fmt.Sprint(n), &count})
	},
	func(s *shape, n int) {
		if lines := s.Nested.Lines; len(lines) > 0 {
			*lines[0].Count -= n
		}
	},
	func(s *shape, n int) { s.At = time.Unix(int64(s.Count), int64(n+9)).UTC() },
}

// A domain is the appliers of its types of events, each a list of steps.
type domain map[string][]int

func drawDomain(r *rapid.T) domain {
	d := domain{}
	for i := range rapid.IntRange(1, 5).Draw(r, "types") {
		d[fmt.Sprint("Event", i)] = rapid.SliceOfN(rapid.IntRange(0, len(steps)-1), 0, 4).Draw(r, "steps")
	}
	return d
}

func (d domain) fold(s *shape, events []runtime.PersistedEvent) error {
	for i := range events {
		var n int
		if err := json.Unmarshal(events[i].Payload, &n); err != nil {
			return err
		}
		for _, step := range d[events[i].EventType] {
			steps[step](s, n)
		}
		s.Order = s.Order*31 + uint64(events[i].AggregateVersion)
	}
	return nil
}

// In any domain, whatever is appended, whenever snapshots are saved and by whatever code, a state from a snapshot and the events
// after it is the one that all events come to. "make torture" draws 10,000 domains.
func TestSnapshots_areTheWholeFold(t *testing.T) {
	t.Parallel()
	b, domains, fromSnapshot := newBook(t), 0, 0
	rapid.Check(t, func(r *rapid.T) {
		domains++
		d, id := drawDomain(r), fmt.Sprint(domains)
		snapshots := func(code string, every int) mapping.Snapshots[*sql.Tx, shape] {
			return mapping.NewSnapshots[*sql.Tx, shape](b.store, mapping.NewSettings(runtime.SnapshotEvery(every)), "Shape", code, d.fold)
		}
		load := func(s mapping.Snapshots[*sql.Tx, shape], opts ...runtime.LoadOption) (loaded mapping.Loaded[shape]) {
			b.in(func(ctx context.Context, tx *sql.Tx) (err error) {
				loaded, err = s.Load(ctx, tx, id, opts...)
				return err
			})
			return loaded
		}
		version := int64(0)
		for range rapid.IntRange(1, 8).Draw(r, "appends") {
			code := rapid.SampledFrom([]string{"release 1", "release 2"}).Draw(r, "code")
			s := snapshots(code, rapid.IntRange(0, 5).Draw(r, "every"))
			events := make([]runtime.Event, rapid.IntRange(1, 4).Draw(r, "events"))
			for i := range events {
				kind := fmt.Sprint("Event", rapid.IntRange(0, len(d)-1).Draw(r, "type"))
				events[i] = runtime.Event{AggregateType: "Shape", AggregateID: id, EventType: kind, EventVersion: 1, EventID: uuid.New(),
					Payload: fmt.Append(nil, rapid.IntRange(-9, 9).Draw(r, "number"))}
			}
			b.in(func(ctx context.Context, tx *sql.Tx) error {
				loaded, err := s.Load(ctx, tx, id)
				if err != nil {
					return err
				}
				result, err := b.store.Append(ctx, tx, runtime.Exact(loaded.Version), events)
				if err != nil {
					return err
				}
				if err := d.fold(&loaded.State, result.Events); err != nil {
					return err
				}
				loaded.Appended(result)
				s.Save(ctx, tx, id, loaded)
				return nil
			})
			version += int64(len(events))
			want := load(s, runtime.ToVersion(version)) // an option has the whole stream folded
			for _, code := range []string{"release 1", "release 2"} {
				got := load(snapshots(code, 0))
				if got.Saved > 0 {
					fromSnapshot++
				}
				if diff := cmp.Diff(want.State, got.State); diff != "" || got.Version != version || want.Saved != 0 {
					r.Fatalf("%s at version %d of %d, from a snapshot of %d (-want +got):\n%s", code, got.Version, version, got.Saved, diff)
				}
			}
		}
	})
	t.Logf("%d domains, %d states from snapshots", domains, fromSnapshot)
	if fromSnapshot == 0 {
		t.Error("no state was from a snapshot")
	}
}
