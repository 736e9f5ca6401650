package eventtest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/eventtest"
)

func fromOne(e runtime.PersistedEvent, opts ...runtime.Option) (any, error) {
	typed, err := fromStored([]runtime.PersistedEvent{e}, opts...)
	if err != nil {
		return nil, err
	}
	return typed[0], nil
}

func TestRecorder(t *testing.T) {
	t.Parallel()
	ctx, clock := t.Context(), eventtest.NewClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	store := eventtest.NewStore[*testing.T]()
	appendAll := func(aggregateType, id string, events ...any) {
		encoded, err := toStored("Account", id, events, runtime.WithClock(clock.Now), runtime.WithEventID(eventtest.IDs(id)), runtime.WithCorrelationID("c"))
		if err != nil {
			t.Fatal(err)
		}
		for i := range encoded {
			encoded[i].AggregateType = aggregateType
		}
		if _, err := store.Append(ctx, nil, runtime.NoStream(), encoded); err != nil {
			t.Fatal(err)
		}
	}
	appendAll("Account", "1", openedOld{Name: "Ada"}, deposited{Cents: 5})
	appendAll("Other", "2", deposited{Cents: 6})
	clock.Advance(time.Hour)
	appendAll("Account", "3", deposited{Cents: 7})

	refused := errors.New("refused")
	handled := 0
	recorder := eventtest.Record(consumer.Scoped("accounts", []string{"Account"}, func(_ context.Context, tx *testing.T, _ runtime.PersistedEvent) error {
		if tx != t {
			t.Errorf("got transaction %v", tx)
		}
		if handled++; handled == 3 {
			return refused
		}
		return nil
	}), fromOne)
	err := eventtest.Deliver(ctx, t, recorder, store.Events())
	if !errors.Is(err, refused) || !strings.Contains(err.Error(), "accounts: handle Deposited v1 at position 4") {
		t.Errorf("got %v", err)
	}
	events := recorder.Events()
	if len(events) != 2 || events[1].Meta.AggregateVersion != 2 || events[1].Meta.CorrelationID.String != "c" || events[1].Meta.GlobalPosition != 2 {
		t.Errorf("got %+v", events)
	}
	recorder.Expect(t, opened{Owner: "Ada"}, deposited{Cents: 5})
	if err := eventtest.Deliver(ctx, t, recorder, store.Events()[3:]); err != nil {
		t.Fatal(err)
	}
	if at := recorder.Events()[0].Meta.CreatedAt; !at.Equal(clock.Now()) {
		t.Errorf("created at %v, want %v", at, clock.Now())
	}
	got := failed(t, func(t testing.TB) { recorder.Expect(t, deposited{Cents: 8}) })
	if want := "accounts handled other events than expected:\n  event 1, eventtest_test.deposited: Cents: want 8, got 7\n"; !strings.HasPrefix(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestIDs_areOthersForEverySeed(t *testing.T) {
	t.Parallel()
	a, again, b := eventtest.IDs("a"), eventtest.IDs("a"), eventtest.IDs("b")
	first := []string{a().String(), a().String(), b().String()}
	if first[0] == first[1] || first[0] == first[2] {
		t.Errorf("got %v", first)
	}
	if d := cmp.Diff(first[:2], []string{again().String(), again().String()}); d != "" {
		t.Errorf("the same seed gives others:\n%s", d)
	}
}
