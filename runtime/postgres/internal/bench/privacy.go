package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	events "github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/mapping"
	"github.com/eventmap/eventmap/runtime/postgres"
	"github.com/eventmap/eventmap/runtime/privacy"
)

// registered is an event with two fields of 64 bytes.
type registered struct {
	Name string `json:"name"`
	Note string `json:"note"`
}

// sealedEvents has both fields marked, of the subject that the stream's ID names.
var sealedEvents = mapping.PersonalEvents{
	{AggregateType: "Customer", EventType: "Registered", Version: 1}: {
		Members: []string{"name", "note"},
		Fields:  []mapping.PersonalField{{Member: "name", Field: "Name"}, {Member: "note", Field: "Note"}},
	},
}

// privacies compares events with personal data whose keys are cached with the same events without marks.
func privacies(p plan) []comparison {
	store, storeErr := postgres.New()
	keyStore, keysErr := postgres.NewKeyStore()
	wrapper, wrapperErr := privacy.NewLocalWrapper(bytes.Repeat([]byte{1}, 32))
	sides := map[string]mapping.Personal[pgx.Tx]{
		"without marks": mapping.NewPersonal[pgx.Tx](nil, nil),
		"eventmap":      mapping.NewPersonal(privacy.NewKeys(keyStore, wrapper), sealedEvents),
	}
	payload, payloadErr := json.Marshal(registered{strings.Repeat("n", 64), strings.Repeat("o", 64)})
	if err := errorOf(storeErr, keysErr, wrapperErr, payloadErr); err != nil {
		return []comparison{{name: "personal data", sides: []side{{"eventmap", func(context.Context, *pgxpool.Pool) (float64, string, error) {
			return 0, "", err
		}}}}}
	}
	made := func(stream string, n int) []events.Event {
		all := make([]events.Event, n)
		for i := range all {
			all[i] = events.Event{
				AggregateType: "Customer", AggregateID: stream, EventType: "Registered", EventVersion: 1,
				EventID: uuid.Must(uuid.NewV7()), Payload: bytes.Clone(payload),
			}
		}
		return all
	}
	timed := func(name string, call func(ctx context.Context, tx pgx.Tx) error) side {
		return side{name, func(ctx context.Context, pool *pgxpool.Pool) (float64, string, error) {
			calls, begin := 0, time.Now()
			for ; time.Since(begin) < p.round; calls++ {
				if err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { return call(ctx, tx) }); err != nil {
					return 0, "", err
				}
			}
			return float64(calls) / time.Since(begin).Seconds(), "", nil
		}}
	}
	appending := func(name string) side {
		return timed(name, func(ctx context.Context, tx pgx.Tx) error {
			_, err := sides[name].Append(ctx, tx, store, events.Any(), made("appended to "+name, 1))
			return err
		})
	}
	loading := func(name string) side {
		return timed(name, func(ctx context.Context, tx pgx.Tx) error {
			stream, err := store.ReadAggregateStream(ctx, tx, "Customer", "read "+name, nil, nil)
			if err != nil {
				return err
			}
			if _, err := sides[name].Open(ctx, tx, stream.Events); err != nil {
				return err
			}
			for i := range stream.Events {
				var r registered
				if err := json.Unmarshal(stream.Events[i].Payload, &r); err != nil || len(r.Name) != 64 {
					return fmt.Errorf("read %q, %w", r.Name, err)
				}
			}
			return nil
		})
	}
	fill := func(ctx context.Context, pool *pgxpool.Pool) error {
		for name, personal := range sides {
			err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
				_, err := personal.Append(ctx, tx, store, events.NoStream(), made("read "+name, longLength))
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
	return []comparison{
		{
			name: "personal data: append of two fields of 64 bytes, key cached", unit: "appends/s",
			sides: []side{appending("without marks"), appending("eventmap")},
			goals: []goal{{against: "without marks", ratio: 0.90}},
		},
		{
			name: "personal data: load of 10,000 events of one subject", unit: "loads/s",
			sides: []side{loading("without marks"), loading("eventmap")}, prepare: fill,
			goals: []goal{{against: "without marks", ratio: 0.65}},
		},
	}
}
