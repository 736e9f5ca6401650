package main

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/examples/shop/domain/order"
	"github.com/eventmap/eventmap/examples/shop/shopstore"
	"github.com/eventmap/eventmap/runtime"
)

var (
	placed = order.Placed{Customer: "3f1c", Currency: "EUR", PlacedAt: time.Date(2026, time.March, 1, 9, 5, 0, 0, time.UTC)}
	sink   any
)

// generated maps an event out and back by what eventmap-gen wrote.
func generated(b *testing.B) {
	e, err := shopstore.ToOrderPlacedV2(shopstore.OrderType, "1", placed)
	if err != nil {
		b.Fatal(err)
	}
	back, err := shopstore.FromOrderPlacedV2(runtime.PersistedEvent{Event: e})
	if err != nil {
		b.Fatal(err)
	}
	sink = back
}

// byHand maps an event out and back by what one would write.
func byHand(b *testing.B) {
	e, err := fromPlaced("1", placed)
	if err != nil {
		b.Fatal(err)
	}
	back, err := toPlaced(runtime.PersistedEvent{Event: e})
	if err != nil {
		b.Fatal(err)
	}
	sink = back
}

// fromPlaced and toPlaced are the mapping by hand.
func fromPlaced(id string, placed order.Placed) (runtime.Event, error) {
	payload, err := json.Marshal(placed)
	if err != nil {
		return runtime.Event{}, err
	}
	return runtime.Event{
		CreatedAt: time.Now().UTC().Truncate(time.Microsecond), AggregateType: "Order", AggregateID: id,
		EventType: "Placed", EventVersion: 2, EventID: uuid.Must(uuid.NewV7()), Payload: payload,
	}, nil
}

func toPlaced(e runtime.PersistedEvent) (order.Placed, error) {
	if e.AggregateType != "Order" || e.EventType != "Placed" || e.EventVersion != 2 {
		return order.Placed{}, errors.New("not an order.Placed")
	}
	var placed order.Placed
	err := json.Unmarshal(e.Payload, &placed)
	return placed, err
}

// BenchmarkMapping compares the two, alternating, and reports the median of their ratios.
func BenchmarkMapping(b *testing.B) {
	const rounds = 200
	var ratios []float64
	measure := func(f func(*testing.B)) float64 {
		start := time.Now()
		for range rounds {
			f(b)
		}
		return float64(time.Since(start)) / rounds
	}
	var ours, theirs float64
	n := 0
	for b.Loop() {
		g, h := measure(generated), measure(byHand)
		ratios = append(ratios, g/h)
		ours, theirs, n = ours+g, theirs+h, n+1
	}
	slices.Sort(ratios)
	b.ReportMetric(ours/float64(n), "ns/generated")
	b.ReportMetric(theirs/float64(n), "ns/by-hand")
	b.ReportMetric(ratios[len(ratios)/2], "ratio")
	b.ReportMetric(testing.AllocsPerRun(1000, func() { generated(b) }), "allocs/generated")
	b.ReportMetric(testing.AllocsPerRun(1000, func() { byHand(b) }), "allocs/by-hand")
	b.ReportMetric(0, "ns/op")
}
