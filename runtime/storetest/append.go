package storetest

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
)

func (s *suite[Tx]) emptyCases() []testCase {
	return []testCase{
		{name: "Empty/log", run: func(t *testing.T) {
			equal(t, "latest position", int64(0), s.end(t))
			equal(t, "log", 0, len(s.log(t, 0, 10)))
		}},
		{name: "Empty/safe position", needs: []Ability{SafePosition}, run: func(t *testing.T) {
			equal(t, "safe position", int64(0), s.safePosition(t))
		}},
	}
}

func (s *suite[Tx]) appendCases() []testCase {
	return []testCase{
		{name: "Append/versions are consecutive and positions rise", run: s.appendOrder},
		{name: "Append/result is what a read gives back", run: s.appendFidelity},
		{name: "Append/time is cut to microseconds, in UTC", run: s.appendTime},
		{name: "Append/zero time means now", run: s.appendNow},
		{name: "Append/nil payload is read as empty, nil metadata as nil", run: s.appendNil},
		{name: "Append/nothing of the caller's is kept", run: s.appendOwnership},
		{name: "Append/streams of two types with one ID are two", run: s.appendTypes},
		{name: "Append/streams whose IDs only look alike are different", run: s.appendLookalikes},
		{name: "Append/rolled back is gone", needs: []Ability{Transactions}, run: s.appendRollback},
		{name: "Append/many times in one transaction", needs: []Ability{Transactions}, run: s.appendTwice},
	}
}

func (s *suite[Tx]) appendOrder(t *testing.T) {
	stream := s.newStream()
	version, position := int64(0), s.end(t)
	for _, n := range []int{1, 3, 1, 100, 2} {
		events := placed(stream, n)
		r := s.append(t, runtime.Exact(version), events)
		equal(t, "FromVersion", version, r.FromVersion())
		if len(r.Events) != n || len(r.GlobalPositions) != n {
			t.Fatalf("%d events and %d positions for an append of %d", len(r.Events), len(r.GlobalPositions), n)
		}
		for i, e := range r.Events {
			version++
			equal(t, "version", version, e.AggregateVersion)
			equal(t, "position", r.GlobalPositions[i], e.GlobalPosition)
			equal(t, "event ID", events[i].EventID, e.EventID)
			if e.GlobalPosition <= position {
				t.Errorf("version %d has position %d, after %d", version, e.GlobalPosition, position)
			}
			position = e.GlobalPosition
		}
		equal(t, "ToVersion", version, r.ToVersion())
		equal(t, "AlreadyStored", false, r.AlreadyStored)
	}
	equal(t, "stream's version", version, s.stream(t, stream).Version())
}

// odd returns events whose fields are as unlike as the contract allows. Those with the least and the greatest event ID are
// left out where the log has them already.
func odd(stream string, extremeIDs bool) []runtime.Event {
	events := placed(stream, 6)
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	events[0].Payload = every
	events[0].Metadata = []byte(" { \"b\" : 1,\n\t\"a\" : [ 1.0, 1e2, \"\\u00e9\" ] , \"a\":null } ")
	events[1].EventType = `"quoted" 'twice' \back {brace},comma NULL`
	events[1].EventVersion = math.MaxInt32
	events[1].CausationID = runtime.SomeString("")
	events[1].CorrelationID = runtime.SomeString("NULL")
	events[1].TraceID = runtime.SomeString(`{"a","b"}`)
	events[1].Metadata = []byte("null")
	events[2].EventType = "été 事件 🎉"
	events[2].Payload = []byte{}
	events[2].CorrelationID = runtime.NullString{String: "ignored"}
	events[2].Metadata = []byte(`"\u0041\\"`)
	events[3].CreatedAt = time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC)
	events[3].Payload = []byte(strings.Repeat("long ", 20_000))
	events[4].CreatedAt = time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)
	events[5].CreatedAt = time.Date(1969, 12, 31, 23, 59, 59, 1000, time.UTC)
	if extremeIDs {
		events[4].EventID, events[5].EventID = uuid.UUID{15: 1}, uuid.Max
	}
	return events
}

func (s *suite[Tx]) appendFidelity(t *testing.T) {
	for i, stream := range []string{s.newStream(), "été 事件 🎉 ' \" \\ ; -- $1 {}", "a\tb\nc", strings.Repeat("x", 1000)} {
		events := odd(stream, i == 0)
		before := s.end(t)
		first := s.append(t, runtime.NoStream(), events[:1])
		rest := s.append(t, runtime.Exact(1), events[1:])
		appended := append(first.Events, rest.Events...)
		for i, e := range appended {
			want := events[i]
			if !want.CorrelationID.Valid {
				want.CorrelationID = runtime.NullString{} // what stands in an absent one does not count
			}
			equal(t, "appended event", want, e.Event)
		}
		equal(t, "stream as read", appended, s.stream(t, stream).Events)
		equal(t, "log as read", appended, s.log(t, before, 4))
	}
}

func (s *suite[Tx]) appendTime(t *testing.T) {
	stream := s.newStream()
	events := placed(stream, 2)
	zone := time.FixedZone("east", 5*60*60+30*60)
	events[0].CreatedAt = time.Date(2024, 7, 1, 3, 0, 0, 123456999, zone)
	events[1].CreatedAt = time.Date(1950, 7, 1, 3, 0, 0, 999, zone)
	r := s.append(t, runtime.Any(), events)
	equal(t, "time", time.Date(2024, 6, 30, 21, 30, 0, 123456000, time.UTC), r.Events[0].CreatedAt)
	equal(t, "time", time.Date(1950, 6, 30, 21, 30, 0, 0, time.UTC), r.Events[1].CreatedAt)
	equal(t, "stream as read", r.Events, s.stream(t, stream).Events)
}

func (s *suite[Tx]) appendNow(t *testing.T) {
	stream := s.newStream()
	events := placed(stream, 2)
	events[0].CreatedAt, events[1].CreatedAt = time.Time{}, time.Time{}
	r := s.append(t, runtime.Any(), events)
	created := r.Events[0].CreatedAt
	if created.IsZero() || created.Location() != time.UTC || created.Nanosecond()%1000 != 0 {
		t.Errorf("created at %v, want the time of the append in UTC, cut to microseconds", created)
	}
	equal(t, "time of the second event", created, r.Events[1].CreatedAt)
	equal(t, "stream as read", r.Events, s.stream(t, stream).Events)
}

func (s *suite[Tx]) appendNil(t *testing.T) {
	for _, n := range []int{1, 2} {
		stream := s.newStream()
		events := placed(stream, n)
		for i := range events {
			events[i].Payload, events[i].Metadata = nil, nil
		}
		r := s.append(t, runtime.Any(), events)
		for _, e := range r.Events {
			equal(t, "payload", []byte{}, e.Payload)
			equal(t, "metadata", []byte(nil), e.Metadata)
		}
		equal(t, "stream as read", r.Events, s.stream(t, stream).Events)
	}
}

func (s *suite[Tx]) appendOwnership(t *testing.T) {
	stream := s.newStream()
	events := placed(stream, 2)
	events[0].Metadata = []byte(`{"a":1}`)
	r := s.append(t, runtime.Any(), events)
	for i := range events {
		for j := range events[i].Payload {
			events[i].Payload[j] = 'x'
		}
		for j := range events[i].Metadata {
			events[i].Metadata[j] = 'x'
		}
	}
	clear(events)
	for what, got := range map[string][]runtime.PersistedEvent{"result": r.Events, "stream as read": s.stream(t, stream).Events} {
		equal(t, "payload of the "+what, []byte(`{"n":0}`), got[0].Payload)
		equal(t, "metadata of the "+what, []byte(`{"a":1}`), got[0].Metadata)
		equal(t, "payload of the "+what, []byte(`{"n":1}`), got[1].Payload)
		equal(t, "aggregate ID of the "+what, stream, got[1].AggregateID)
	}
}

func (s *suite[Tx]) appendTypes(t *testing.T) {
	stream := s.newStream()
	one, two := placed(stream, 2), placed(stream, 1)
	two[0].AggregateType = "Invoice"
	s.append(t, runtime.NoStream(), one)
	r := s.append(t, runtime.NoStream(), two)
	equal(t, "version of the second", int64(1), r.ToVersion())
	equal(t, "version of the first", int64(2), s.stream(t, stream).Version())
}

func (s *suite[Tx]) appendLookalikes(t *testing.T) {
	id := s.newStream()
	for _, alike := range []string{
		id + "a", id + "A", id + "a ", id + "a\t", " " + id + "a", id + "a\u200b", id + "\u00e4", id + "a\u0308", id + "\uff41", id + "a%", id + "a_",
	} {
		r := s.append(t, runtime.NoStream(), placed(alike, 1))
		equal(t, "stream as read", r.Events, s.stream(t, alike).Events)
	}
}

func (s *suite[Tx]) appendRollback(t *testing.T) {
	stream := s.newStream()
	before := s.end(t)
	tx := s.begin(t)
	events := placed(stream, 3)
	if _, err := s.Store.Append(t.Context(), tx.Tx, runtime.NoStream(), events); err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	equal(t, "version", int64(0), s.stream(t, stream).Version())
	equal(t, "latest position", before, s.end(t))
	r := s.append(t, runtime.NoStream(), events)
	equal(t, "AlreadyStored", false, r.AlreadyStored)
	equal(t, "log", ids(r.Events), ids(s.log(t, before, 10)))
}

func (s *suite[Tx]) appendTwice(t *testing.T) {
	stream, other := s.newStream(), s.newStream()
	before := s.end(t)
	var want []uuid.UUID
	s.in(t, func(tx Tx) error {
		for i := range 5 {
			for _, id := range []string{stream, other} {
				r, err := s.Store.Append(t.Context(), tx, runtime.Exact(int64(i)), placed(id, 1))
				if err != nil {
					return err
				}
				want = append(want, ids(r.Events)...)
			}
			read, err := s.Store.ReadAggregateStream(t.Context(), tx, aggregateType, stream, nil, nil)
			if err != nil {
				return err
			}
			equal(t, "version inside the transaction", int64(i+1), read.Version())
		}
		return nil
	})
	equal(t, "log", want, ids(s.log(t, before, 3)))
}
