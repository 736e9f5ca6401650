package acceptance_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/internal/model"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/eventtest"
	"github.com/eventmap/eventmap/runtime/mapping"
)

// stored returns the payload of an event as it is stored: what is personal in it is sealed, by what generated code calls.
func stored(t *testing.T, e *model.Event, payload []byte) []byte {
	t.Helper()
	var personal mapping.PersonalEvent
	for i := range e.Payload.Fields {
		f := &e.Payload.Fields[i]
		personal.Members = append(personal.Members, f.Name)
		if f.Personal != nil {
			personal.Fields = append(personal.Fields, mapping.PersonalField{Member: f.Name, Field: f.Go, Subject: f.Personal.Subject})
		}
	}
	if len(personal.Fields) == 0 {
		return payload
	}
	events := []runtime.Event{{AggregateType: "A", AggregateID: "1", EventType: e.Name, EventVersion: e.Version, EventID: uuid.New(), Payload: payload}}
	known := mapping.PersonalEvents{{AggregateType: "A", EventType: e.Name, Version: e.Version}: personal}
	if err := mapping.NewPersonal(eventtest.Keys(), known).Seal(t.Context(), eventtest.NoTx{}, events); err != nil {
		t.Fatal(err)
	}
	return events[0].Payload
}
