package mapping_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/mapping"
)

type opened struct {
	Name string `json:"name"`
}

var (
	moment = time.Date(2026, time.March, 1, 10, 0, 0, 123456789, time.FixedZone("CET", 3600))
	ids    = []uuid.UUID{uuid.MustParse("018f0000-0000-7000-8000-000000000001"), uuid.MustParse("018f0000-0000-7000-8000-000000000002")}
)

// fixed returns options under which encoding gives the same every time.
func fixed() []runtime.Option {
	next := 0
	return []runtime.Option{
		runtime.WithClock(func() time.Time { return moment }),
		runtime.WithEventID(func() uuid.UUID { next++; return ids[next-1] }),
	}
}

func encodeOpened(c *mapping.Encoder, event any) (runtime.Event, error) {
	switch e := event.(type) {
	case opened:
		return mapping.Encode(c, "Account", "Opened", 2, &e)
	case *opened:
		return mapping.Encode(c, "Account", "Opened", 2, e)
	}
	return runtime.Event{}, c.NotAnEvent(event)
}

func TestEncodeAll(t *testing.T) {
	t.Parallel()
	settings := mapping.With(mapping.NewSettings(fixed()...),
		runtime.WithCorrelationID("c"), runtime.WithCausationID(""), runtime.WithMetadata([]byte(`{"by":"ada"}`)), runtime.WithTraceID("t"))
	got, err := mapping.EncodeAll(mapping.NewEncoder(settings, "Account", "1"), []any{opened{"a"}, &opened{"b"}}, encodeOpened)
	if err != nil {
		t.Fatal(err)
	}
	event := runtime.Event{
		CreatedAt:     time.Date(2026, time.March, 1, 9, 0, 0, 123456000, time.UTC),
		AggregateType: "Account",
		AggregateID:   "1",
		EventType:     "Opened",
		EventVersion:  2,
		Metadata:      []byte(`{"by":"ada"}`),
		CorrelationID: runtime.SomeString("c"),
		TraceID:       runtime.SomeString("t"),
	}
	first, second := event, event
	first.EventID, first.Payload = ids[0], []byte(`{"name":"a"}`)
	second.EventID, second.Payload = ids[1], []byte(`{"name":"b"}`)
	if d := cmp.Diff([]runtime.Event{first, second}, got); d != "" {
		t.Errorf("events (-want +got):\n%s", d)
	}
}

func TestEncodeAll_namesTheEventAtFault(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name          string
		aggregateType string
		event         any
		want          runtime.InvalidEventError
	}{
		{"nil pointer", "Account", (*opened)(nil), runtime.InvalidEventError{Index: 1, Field: "event", Reason: "is a nil *mapping_test.opened"}},
		{"nil", "Account", nil, runtime.InvalidEventError{Index: 1, Field: "event", Reason: "is nil"}},
		{"other type", "Account", 7, runtime.InvalidEventError{Index: 1, Field: "event", Reason: `is a int, which is no event of "Account"`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			encoder := mapping.NewEncoder(mapping.NewSettings(), tt.aggregateType, "1")
			_, err := mapping.EncodeAll(encoder, []any{opened{}, tt.event}, encodeOpened)
			invalid, ok := errors.AsType[*runtime.InvalidEventError](err)
			if !ok {
				t.Fatalf("err = %v, want an InvalidEventError", err)
			}
			if d := cmp.Diff(tt.want, *invalid); d != "" {
				t.Errorf("error (-want +got):\n%s", d)
			}
		})
	}
}

func TestEncode_refusesAnotherAggregate(t *testing.T) {
	t.Parallel()
	_, err := mapping.Encode(mapping.NewEncoder(mapping.NewSettings(), "Order", "1"), "Account", "Opened", 1, &opened{})
	if invalid, ok := errors.AsType[*runtime.InvalidEventError](err); !ok || invalid.Field != "AggregateType" {
		t.Errorf("err = %v, want an InvalidEventError about AggregateType", err)
	}
}

// broken is a codec that can do nothing.
type broken struct{}

var errBroken = errors.New("broken")

func (broken) Marshal(any) ([]byte, error) { return nil, errBroken }
func (broken) Unmarshal([]byte, any) error { return errBroken }
func stored(payload string) *runtime.PersistedEvent {
	return &runtime.PersistedEvent{
		Event: runtime.Event{
			AggregateType: "Account", AggregateID: "1", EventType: "Opened", EventVersion: 2, Payload: []byte(payload),
		},
		GlobalPosition: 9, AggregateVersion: 3,
	}
}

func TestCodec_errorsAreReachable(t *testing.T) {
	t.Parallel()
	settings := mapping.NewSettings(runtime.WithCodec(broken{}))
	_, err := mapping.Encode(mapping.NewEncoder(settings, "Account", "1"), "Account", "Opened", 1, &opened{})
	if !errors.Is(err, errBroken) {
		t.Errorf("Encode: err = %v, want %v", err, errBroken)
	}
	if _, err := mapping.Decode[opened](mapping.CodecOf(runtime.WithCodec(broken{})), stored("{}")); !errors.Is(err, errBroken) {
		t.Errorf("Decode: err = %v, want %v", err, errBroken)
	}
}

func TestDecode_errorsNameTheEvent(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{"null", " null\n", "", "{", `{"name":1}`, `{"name":"a"} x`} {
		_, err := mapping.Decode[opened](runtime.JSONCodec{}, stored(payload))
		decode, ok := errors.AsType[*runtime.DecodeError](err)
		if !ok {
			t.Errorf("payload %q: err = %v, want a DecodeError", payload, err)
			continue
		}
		want := runtime.DecodeError{
			AggregateType: "Account", AggregateID: "1", AggregateVersion: 3, GlobalPosition: 9,
			EventType: "Opened", EventVersion: 2, Err: decode.Err,
		}
		if d := cmp.Diff(want.Error(), err.Error()); d != "" {
			t.Errorf("payload %q (-want +got):\n%s", payload, d)
		}
	}
}

func TestDecodeAs_refusesWhatItIsNot(t *testing.T) {
	t.Parallel()
	e := stored(`{"name":"a"}`)
	if got, err := mapping.DecodeAs[opened](mapping.CodecOf(), e, "Account", "Opened", 2); err != nil || got != (opened{"a"}) {
		t.Errorf("got %v, %v", got, err)
	}
	for _, tt := range []struct {
		aggregate, event string
		version          int
	}{{"Order", "Opened", 2}, {"Account", "Closed", 2}, {"Account", "Opened", 1}} {
		if _, err := mapping.DecodeAs[opened](mapping.CodecOf(), e, tt.aggregate, tt.event, tt.version); err == nil {
			t.Errorf("%v: no error", tt)
		}
	}
}

func TestAs(t *testing.T) {
	t.Parallel()
	if got, err := mapping.As[int](stored(""), "one", 1); err != nil || got != 1 {
		t.Errorf("As[int] = %v, %v", got, err)
	}
	if got, err := mapping.As[any](stored(""), "one", 1); err != nil || got != "one" {
		t.Errorf("As[any] = %v, %v", got, err)
	}
	if _, err := mapping.As[error](stored(""), "one"); err == nil {
		t.Error("As[error]: no error")
	}
}

func TestDecodeStream_keepsTheHeadsVersion(t *testing.T) {
	t.Parallel()
	s := runtime.NewStream("Account", "1", 9, []runtime.PersistedEvent{*stored(`{"name":"a"}`)})
	decode := func(e *runtime.PersistedEvent) (opened, error) {
		return mapping.Decode[opened](runtime.JSONCodec{}, e)
	}
	typed, err := mapping.DecodeStream(s, decode)
	if err != nil {
		t.Fatal(err)
	}
	if typed.Version() != 9 || typed.Len() != 1 || typed.IsEmpty() || typed.AggregateID != "1" {
		t.Errorf("stream = %+v", typed)
	}
	want := runtime.Recorded[opened]{Event: opened{"a"}, Meta: s.Events[0].Meta()}
	if d := cmp.Diff(want, typed.Events[0]); d != "" {
		t.Errorf("event (-want +got):\n%s", d)
	}
	s.Events[0].Payload = nil
	if _, err := mapping.DecodeStream(s, decode); err == nil {
		t.Error("a payload that cannot be decoded gave no error")
	}
}

func TestSettings_laterOptionsHoldAndEarlierSettingsStay(t *testing.T) {
	t.Parallel()
	base := mapping.NewSettings(runtime.WithTraceID("a"), runtime.WithMaxAttempts(0))
	changed := mapping.With(base, runtime.WithTraceID("b"))
	trace := func(s runtime.Settings) string {
		e, err := mapping.Encode(mapping.NewEncoder(s, "Account", "1"), "Account", "Opened", 1, &opened{})
		if err != nil {
			t.Fatal(err)
		}
		return e.TraceID.String
	}
	if got := trace(base) + trace(changed); got != "ab" {
		t.Errorf("trace IDs = %q, want ab", got)
	}
	if got := base.MaxAttempts(); got != 1 {
		t.Errorf("MaxAttempts = %d, want 1", got)
	}
}

func TestDefaults_stampWithUniqueRisingIDsAndTheCurrentTime(t *testing.T) {
	t.Parallel()
	before := time.Now().Add(-time.Microsecond)
	encoder := mapping.NewEncoder(mapping.NewSettings(), "Account", "1")
	var last string
	for range 1000 {
		e, err := mapping.Encode(encoder, "Account", "Opened", 1, &opened{})
		if err != nil {
			t.Fatal(err)
		}
		if e.EventID.Version() != 7 || e.EventID.String() <= last {
			t.Fatalf("event ID %s after %s: want rising UUIDv7", e.EventID, last)
		}
		last = e.EventID.String()
		if e.CreatedAt.Before(before) || e.CreatedAt.Location() != time.UTC || e.CreatedAt.Nanosecond()%1000 != 0 {
			t.Fatalf("created at %v: want now, in UTC, in microseconds", e.CreatedAt)
		}
	}
}

// An empty ID, as of a header that a request lacks, is none.
func TestOptions_emptyIDsAreAbsent(t *testing.T) {
	t.Parallel()
	settings := mapping.NewSettings(runtime.WithCorrelationID(""), runtime.WithCausationID(""), runtime.WithTraceID(""))
	if e := settings.NewEvent("Account", "1", 0); e.CorrelationID.Valid || e.CausationID.Valid || e.TraceID.Valid {
		t.Errorf("event = %+v, want no IDs but its own", e)
	}
}

func TestCausedBy(t *testing.T) {
	t.Parallel()
	first := runtime.Meta{EventID: ids[0]}
	later := runtime.Meta{EventID: ids[1], CorrelationID: runtime.SomeString("request"), TraceID: runtime.SomeString("trace")}
	for _, tt := range []struct {
		cause                           runtime.Meta
		causation, correlation, traceID runtime.NullString
	}{
		{first, runtime.SomeString(ids[0].String()), runtime.SomeString(ids[0].String()), runtime.NullString{}},
		{later, runtime.SomeString(ids[1].String()), runtime.SomeString("request"), runtime.SomeString("trace")},
	} {
		settings := mapping.NewSettings(runtime.CausedBy(tt.cause))
		if e := settings.NewEvent("Account", "1", 0); e.CausationID != tt.causation || e.CorrelationID != tt.correlation || e.TraceID != tt.traceID {
			t.Errorf("caused by %+v: %+v", tt.cause, e)
		}
	}
}

// The IDs that follow from a key are the same for ever, for they are stored, and differ wherever the event is another.
func TestEncodeAll_idempotencyKey(t *testing.T) {
	t.Parallel()
	encode := func(key, id string) []string {
		opts := append(fixed()[:1:1], runtime.WithEventID(uuid.New), runtime.WithIdempotencyKey(key))
		events, err := mapping.EncodeAll(mapping.NewEncoder(mapping.NewSettings(opts...), "Account", id), []any{opened{"a"}, opened{"b"}}, encodeOpened)
		if err != nil {
			t.Fatal(err)
		}
		return []string{events[0].EventID.String(), events[1].EventID.String()}
	}
	want := []string{"209fcf33-fd50-5a6c-837f-a2c092d3c4d8", "22be0e76-868e-5461-a147-2128457815ad"}
	if d := cmp.Diff(want, encode("request-1", "1")); d != "" {
		t.Errorf("IDs (-want +got):\n%s", d)
	}
	seen := map[string]bool{}
	for _, of := range [][2]string{{"request-1", "1"}, {"request-2", "1"}, {"request-1", "2"}, {"request-11", ""}, {"", "1"}, {"", "1"}} {
		for _, id := range encode(of[0], of[1]) {
			if seen[id] {
				t.Errorf("key %q, stream %q: the ID %s is another event's too", of[0], of[1], id)
			}
			seen[id] = true
		}
	}
}
