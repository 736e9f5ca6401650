package eventtest

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
)

// RoundTrip fails the test unless a [Sample] of E, made with the values, mapped out by to and back by from, is the same
// again, whole. Where no sample can be made, because a type accepts no value that is known, the test is skipped and says
// what to do.
func RoundTrip[E any](
	t testing.TB,
	aggregateType string,
	to func(aggregateType, aggregateID string, e E, opts ...runtime.Option) (runtime.Event, error),
	from func(e runtime.PersistedEvent, opts ...runtime.Option) (E, error),
	values ...any,
) {
	t.Helper()
	want := sampleFor[E](t, values)
	stored := store(t, aggregateType, want, to)
	got, err := from(stored)
	if err != nil {
		t.Fatalf("%v\npayload: %s", err, stored.Payload)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the event changed on its way out and back\npayload: %s\nwant: %s\ngot:  %s", stored.Payload, show(want), show(got))
	}
}

// Upcast fails the test unless a [Sample] of the old version E, made with the values and mapped out by to, is read as a
// Current by read. It is skipped as [RoundTrip] is.
func Upcast[Current, E any](
	t testing.TB,
	aggregateType string,
	to func(aggregateType, aggregateID string, e E, opts ...runtime.Option) (runtime.Event, error),
	read func(e runtime.PersistedEvent, opts ...runtime.Option) (any, error),
	values ...any,
) {
	t.Helper()
	stored := store(t, aggregateType, sampleFor[E](t, values), to)
	got, err := read(stored)
	if err != nil {
		t.Fatalf("%v\npayload: %s", err, stored.Payload)
	}
	if _, ok := got.(Current); !ok {
		t.Errorf("read a %T, want a %T", got, *new(Current))
	}
}

// store returns e as the first event of a log that holds nothing else.
func store[E any](
	t testing.TB,
	aggregateType string,
	e E,
	to func(aggregateType, aggregateID string, e E, opts ...runtime.Option) (runtime.Event, error),
) runtime.PersistedEvent {
	t.Helper()
	event, err := to(aggregateType, "stream-1", e)
	if err != nil {
		t.Fatal(err)
	}
	if event.EventID == uuid.Nil || event.CreatedAt.IsZero() {
		t.Errorf("event ID %v, created at %v: want both set", event.EventID, event.CreatedAt)
	}
	return runtime.PersistedEvent{Event: event, GlobalPosition: 1, AggregateVersion: 1}
}

// show returns v as indented JSON, which shows what lies behind pointers.
func show(v any) string {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err.Error()
	}
	return string(text)
}
