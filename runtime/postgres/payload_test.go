package postgres_test

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
	"github.com/eventmap/eventmap/runtime/storetest"
)

// With columns of JSON the contract holds as it does with bytes, for payloads that such a column gives back as they are.
func TestStore_keepsTheContractWithJSON(t *testing.T) {
	t.Parallel()
	for _, o := range []design.Options{{Payload: "json", Snapshots: true}, {Payload: "jsonb", Metadata: "jsonb", Snapshots: true}} {
		t.Run(o.Payload, func(t *testing.T) {
			t.Parallel()
			for _, m := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeSimpleProtocol} {
				t.Run(m.String(), func(t *testing.T) {
					t.Parallel()
					pool := connect(t, pgtest.New(t, schema(t, o)), mode(m))
					store := newStore(t, postgres.WithPayload(postgres.PayloadType(o.Payload)))
					storetest.Run(t, storetest.Harness[pgx.Tx]{Store: wrapped{store}, Begin: beginPgx(pool), Remove: remover(pool)})
				})
			}
		})
	}
}

func TestStore_keepsJSON(t *testing.T) {
	t.Parallel()
	const given = `{"b": 1,"a":[1.10, 2e2],"b" : 3, "c":"\u0041\\u0000 é"}`
	tests := []struct {
		payload postgres.PayloadType
		want    string
	}{
		{postgres.Bytea, given},
		{postgres.JSON, given},
		{postgres.JSONB, `{"a": [1.10, 200], "b": 3, "c": "A\\u0000 é"}`},
	}
	for _, tt := range tests {
		t.Run(string(tt.payload), func(t *testing.T) {
			t.Parallel()
			pool := connect(t, pgtest.New(t, schema(t, design.Options{Payload: string(tt.payload)})))
			store := newPoolStore(t, postgres.WithPayload(tt.payload))
			events := placed("1", 2)
			events[0].Payload = []byte(given)
			events[1].Payload = nil
			if _, err := store.Append(t.Context(), pool, runtime.NoStream(), events); err != nil {
				t.Fatal(err)
			}
			stream, err := store.ReadAggregateStream(t.Context(), pool, "Order", "1", nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(stream.Events[0].Payload); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if got := stream.Events[1].Payload; got == nil || len(got) > 0 {
				t.Errorf("payload of an event without one: %#v, want it empty", got)
			}
		})
	}
}

func TestStore_refusesWhatThePayloadColumnCannotKeep(t *testing.T) {
	t.Parallel()
	const (
		notJSON = "is not JSON, and the payload column is "
		large   = "has a number that jsonb may not keep: one of more than 8000 characters, or with an exponent beyond that"
		odd     = `has a string that jsonb cannot keep: one with \u0000, or with half of a surrogate pair`
	)
	tests := []struct{ payload, json, jsonb string }{
		{`{}`, "", ""},
		{`"\ud83d\ude00 \\u0000 \"\\\\\""`, "", ""},
		{"", "", ""},
		{`{`, notJSON + "json", notJSON + "jsonb"},
		{"\"\xff\"", notJSON + "json", notJSON + "jsonb"},
		{`"a\u0000"`, "", odd},
		{`{"\ud800":1}`, "", odd},
		{`"\ud83d\u0041"`, "", odd},
		{`"\ude00"`, "", odd},
		{`{"n":[1e8000,-2.5E-8000]}`, "", ""},
		{`{"n":[1,1e131072]}`, "", large},
	}
	for _, payload := range []postgres.PayloadType{postgres.JSON, postgres.JSONB} {
		t.Run(string(payload), func(t *testing.T) {
			t.Parallel()
			pool := connect(t, pgtest.New(t, schema(t, design.Options{Payload: string(payload)})))
			store := newPoolStore(t, postgres.Config{Payload: payload})
			for _, tt := range tests {
				events := placed(newStream(), 2)
				events[1].Payload = []byte(tt.payload)
				want := tt.json
				if payload == postgres.JSONB {
					want = tt.jsonb
				}
				_, err := store.Append(t.Context(), pool, runtime.NoStream(), events)
				_, streamsErr := store.AppendStreams(t.Context(), pool, runtime.StreamAppend{Expected: runtime.Any(), Events: events})
				for _, err := range []error{err, streamsErr} {
					var invalid *runtime.InvalidEventError
					switch {
					case want == "" && err != nil && !errors.Is(err, runtime.ErrDuplicateEvent):
						t.Errorf("%q: %v", tt.payload, err)
					case want != "" && !errors.As(err, &invalid):
						t.Errorf("%q: %v, want an InvalidEventError", tt.payload, err)
					case want != "":
						if diff := cmp.Diff(&runtime.InvalidEventError{Index: 1, Field: "Payload", Reason: want}, invalid); diff != "" {
							t.Errorf("%q (-want +got):\n%s", tt.payload, diff)
						}
					}
				}
			}
		})
	}
}

func TestNew_refusesUnknownPayloadType(t *testing.T) {
	t.Parallel()
	_, err := postgres.New(postgres.WithPayload("text"))
	if want := `payload type "text": is not known; choose one of bytea, json, jsonb`; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// A wrapped store puts payload and metadata into a string of JSON, which json and jsonb give back as it was.
type wrapped struct{ *postgres.Store[pgx.Tx] }

func wrap(events []runtime.Event) []runtime.Event {
	all := slices.Clone(events)
	for i := range all {
		if len(all[i].Payload) > 0 {
			all[i].Payload, _ = json.Marshal(all[i].Payload)
		}
		if utf8.Valid(all[i].Metadata) && json.Valid(all[i].Metadata) {
			all[i].Metadata, _ = json.Marshal(all[i].Metadata)
		}
	}
	return all
}

func unwrap(events []runtime.PersistedEvent, err error) ([]runtime.PersistedEvent, error) {
	for i := range events {
		if len(events[i].Payload) > 0 {
			err = errors.Join(err, json.Unmarshal(events[i].Payload, &events[i].Payload))
		}
		if events[i].Metadata != nil {
			err = errors.Join(err, json.Unmarshal(events[i].Metadata, &events[i].Metadata))
		}
	}
	return events, err
}

func unwrapSeq(events iter.Seq2[runtime.PersistedEvent, error]) iter.Seq2[runtime.PersistedEvent, error] {
	return func(yield func(runtime.PersistedEvent, error) bool) {
		for e, err := range events {
			one, err := unwrap([]runtime.PersistedEvent{e}, err)
			if !yield(one[0], err) {
				return
			}
		}
	}
}

func (w wrapped) Append(ctx context.Context, tx pgx.Tx, expected runtime.ExpectedVersion, events []runtime.Event) (r runtime.AppendResult, err error) {
	r, err = w.Store.Append(ctx, tx, expected, wrap(events))
	r.Events, err = unwrap(r.Events, err)
	return r, err
}

func (w wrapped) AppendStreams(ctx context.Context, tx pgx.Tx, appends ...runtime.StreamAppend) ([]runtime.AppendResult, error) {
	appends = slices.Clone(appends)
	for i := range appends {
		appends[i].Events = wrap(appends[i].Events)
	}
	results, err := w.Store.AppendStreams(ctx, tx, appends...)
	for i := range results {
		results[i].Events, err = unwrap(results[i].Events, err)
	}
	return results, err
}

func (w wrapped) ReadAggregateStream(ctx context.Context, tx pgx.Tx, aggregateType, aggregateID string, from, to *int64) (s runtime.Stream, err error) {
	s, err = w.Store.ReadAggregateStream(ctx, tx, aggregateType, aggregateID, from, to)
	if incomplete, ok := errors.AsType[*runtime.IncompleteStreamError](err); ok {
		incomplete.Found.Events, err = unwrap(incomplete.Found.Events, err)
		return s, err
	}
	s.Events, err = unwrap(s.Events, err)
	return s, err
}

func (w wrapped) ReadStreams(ctx context.Context, tx pgx.Tx, reads ...runtime.StreamRead) ([]runtime.ReadResult, error) {
	results, err := w.Store.ReadStreams(ctx, tx, reads...)
	for i := range results {
		results[i].Stream.Events, err = unwrap(results[i].Stream.Events, err)
	}
	return results, err
}

func (w wrapped) ReadEvents(ctx context.Context, tx pgx.Tx, from int64, limit int) ([]runtime.PersistedEvent, error) {
	return unwrap(w.Store.ReadEvents(ctx, tx, from, limit))
}

func (w wrapped) StreamEvents(ctx context.Context, tx pgx.Tx, aggregateType, aggregateID string, query runtime.StreamQuery) iter.Seq2[runtime.PersistedEvent, error] {
	return unwrapSeq(w.Store.StreamEvents(ctx, tx, aggregateType, aggregateID, query))
}

func (w wrapped) LogEvents(ctx context.Context, tx pgx.Tx, query runtime.LogQuery) iter.Seq2[runtime.PersistedEvent, error] {
	return unwrapSeq(w.Store.LogEvents(ctx, tx, query))
}
