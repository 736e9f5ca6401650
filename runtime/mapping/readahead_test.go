package mapping

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/eventtest"
	"github.com/eventmap/eventmap/runtime/privacy"
)

var notes = PersonalEvents{{AggregateType: "Note", EventType: "Written", Version: 1}: {
	Members: []string{"by", "text"},
	Fields:  []PersonalField{{Member: "text", Field: "Text", Subject: "by"}},
}}

// A shower is a store of one stream that shows what it is told to show, and then does what it is told to do.
type shower struct {
	runtime.Store[eventtest.NoTx]
	events []runtime.PersistedEvent
	parts  []int // how many events each part has
	then   func() error
}

func (s *shower) ReadStreamParts(
	_ context.Context, _ eventtest.NoTx, _, _ string, _, _ *int64, show func([]runtime.PersistedEvent),
) (runtime.Stream, error) {
	next := 0
	for _, n := range s.parts {
		show(s.events[next : next+n])
		next += n
	}
	if err := s.then(); err != nil {
		return runtime.Stream{}, err
	}
	returned := append([]runtime.PersistedEvent(nil), s.events...) // elsewhere, as if there had not been room enough
	return runtime.NewStream("Note", "n", int64(len(returned)), returned), nil
}

func (s *shower) PartsOf() runtime.AggregateStreamReader[eventtest.NoTx] { return s }

// newShower returns a store of notes that are sealed, and keys of which the first ones are cached.
func newShower(t *testing.T, events, subjects, cached int) (*shower, Personal[eventtest.NoTx]) {
	t.Helper()
	wrapper, err := privacy.NewLocalWrapper(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	store := privacy.NewMemoryKeys[eventtest.NoTx]()
	sealed := make([]runtime.Event, events)
	for i := range sealed {
		sealed[i] = runtime.Event{
			AggregateType: "Note", AggregateID: "n", EventType: "Written", EventVersion: 1, EventID: uuid.New(),
			Payload: fmt.Appendf(nil, `{"by":"%d","text":"text %d"}`, i*subjects/events, i),
		}
	}
	if err := NewPersonal(privacy.NewKeys(store, wrapper), notes).Seal(t.Context(), eventtest.NoTx{}, sealed); err != nil {
		t.Fatal(err)
	}
	s := &shower{then: func() error { return nil }}
	for i, e := range sealed {
		s.events = append(s.events, runtime.PersistedEvent{Event: e, AggregateVersion: int64(i + 1)})
	}
	personal := NewPersonal(privacy.NewKeys(store, wrapper), notes)
	if err := personal.Prepare(t.Context(), eventtest.NoTx{}, s.events[:cached]); err != nil {
		t.Fatal(err)
	}
	return s, personal
}

func (s *shower) read(t *testing.T, p Personal[eventtest.NoTx]) (runtime.Stream, error) {
	return p.ReadStream(t.Context(), s, eventtest.NoTx{}, "Note", "n")
}

// Whatever a store shows, and whichever keys are cached, all events are in clear at the end; those that were shown stay as they
// were.
func TestPersonal_opensWhatIsShown(t *testing.T) {
	t.Parallel()
	const many = 200
	for _, parts := range [][]int{nil, {many}, {50, 70}, {0, 1, 0, many - 2, 1}, single(many), {33, 33}} {
		for _, cached := range []int{0, 1, 70, many} {
			s, personal := newShower(t, many, 10, cached)
			s.parts = parts
			before := fmt.Sprint(s.events)
			for range 2 {
				stream, err := s.read(t, personal)
				if err != nil {
					t.Fatalf("parts %v, %d cached: %v", parts, cached, err)
				}
				for i, e := range stream.Events {
					if want := fmt.Sprintf(`{"by":"%d","text":"text %d"}`, i*10/many, i); string(e.Payload) != want {
						t.Fatalf("parts %v, %d cached: event %d is %s, want %s", parts, cached, i, e.Payload, want)
					}
				}
			}
			if fmt.Sprint(s.events) != before {
				t.Fatalf("parts %v, %d cached: the store's events have changed", parts, cached)
			}
		}
	}
}

// single returns parts of one event each.
func single(n int) []int {
	parts := make([]int, n)
	for i := range parts {
		parts[i] = 1
	}
	return parts
}

// Events are opened while the store still reads.
func TestPersonal_opensWhileTheStoreReads(t *testing.T) {
	t.Parallel()
	s, personal := newShower(t, 1000, 1, 1000)
	synctest.Test(t, func(t *testing.T) {
		ahead := readAhead{personal: notes, cipher: personal.cipher}
		defer ahead.leave()
		ahead.take(s.events[:300])
		ahead.take(s.events[300:500])
		synctest.Wait()
		for i, o := range ahead.parts {
			if o.err != nil || len(o.left()) > 0 {
				t.Errorf("of part %d %d events are left, error %v", i, len(o.left()), o.err)
			}
		}
	})
}

// However a read ends, the goroutine that opens has ended before: else the bubble of the test would not end.
func TestPersonal_nothingRunsAfterARead(t *testing.T) {
	t.Parallel()
	errRead := errors.New("the connection is gone")
	for name, tt := range map[string]struct {
		then  func() error
		wrong bool // an event is not what was sealed
		want  error
	}{
		"read":  {then: func() error { return nil }},
		"error": {then: func() error { return errRead }, want: errRead},
		"panic": {then: func() error { panic("driver") }},
		"fault": {then: func() error { return nil }, wrong: true, want: privacy.ErrIntegrity},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, personal := newShower(t, 1000, 3, 700)
			s.then, s.parts = tt.then, single(900)
			if tt.wrong {
				s.events[500].AggregateID, s.events[800].AggregateID = "other", "other"
			}
			synctest.Test(t, func(t *testing.T) {
				defer func() {
					if r := recover(); (r != nil) != (name == "panic") {
						t.Errorf("panic %v", r)
					}
				}()
				stream, err := s.read(t, personal)
				if !errors.Is(err, tt.want) || err != nil && stream.Len() > 0 {
					t.Errorf("%d events, error %v, want %v", stream.Len(), err, tt.want)
				}
				if fault, ok := errors.AsType[*runtime.DecodeError](err); ok && fault.AggregateVersion != 501 {
					t.Errorf("the fault is of version %d", fault.AggregateVersion)
				}
			})
		})
	}
}

// A store that embeds another one, and has a way of its own to read, is read by that.
func TestPersonal_readsByTheOutermostStore(t *testing.T) {
	t.Parallel()
	s, personal := newShower(t, 2, 1, 2)
	stream, err := personal.ReadStream(t.Context(), &overriding{shower: s}, eventtest.NoTx{}, "Note", "n")
	if err != nil || stream.Len() != 1 {
		t.Errorf("%d events, error %v", stream.Len(), err)
	}
}

// overriding is a store that leaves all events out but the first.
type overriding struct{ *shower }

func (o *overriding) ReadAggregateStream(context.Context, eventtest.NoTx, string, string, *int64, *int64) (runtime.Stream, error) {
	return runtime.NewStream("Note", "n", 1, o.events[:1:1]), nil
}

// What is not opened in time for want of a key costs no error that hides what the store says.
func TestPersonal_errorOfTheStoreComesFirst(t *testing.T) {
	t.Parallel()
	s, personal := newShower(t, 600, 1, 600)
	s.parts, s.events[10].Payload = []int{300, 300}, []byte(strings.Repeat("x", 10))
	s.then = func() error {
		return &runtime.IncompleteStreamError{AggregateType: "Note", AggregateID: "n", Missing: 601}
	}
	_, err := s.read(t, personal)
	if _, ok := errors.AsType[*runtime.IncompleteStreamError](err); !ok {
		t.Errorf("error %v", err)
	}
}
