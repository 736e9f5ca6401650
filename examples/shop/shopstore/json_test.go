package shopstore

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/eventmap/eventmap/examples/shop/domain/order"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/mapping"
	"github.com/eventmap/eventmap/runtime/plainjson"
)

// The events that are encoded and decoded, and how they are stored.
var (
	placed = order.Placed{Customer: "c-104857", Currency: "EUR", PlacedAt: time.Date(2026, 3, 1, 12, 30, 15, 123456000, time.UTC)}
	added  = order.ItemAdded{Line: order.Line{SKU: "A-1", Quantity: 2, Price: order.Money{Cents: 1995, Currency: "EUR"}}}
	paid   = order.Paid{Amount: order.Money{Cents: 3990, Currency: "EUR"}, Method: "card"}
	sent   = order.Shipped{Carrier: "DHL", Parcel: "JJD0001", To: order.Address{Street: "Main Street 1", City: "Berlin", Country: "DE"}}
)

func stored(event any) *runtime.PersistedEvent {
	text, err := json.Marshal(event)
	if err != nil {
		panic(err)
	}
	return &runtime.PersistedEvent{Event: runtime.Event{Payload: text}}
}

var storedPlaced, storedAdded, storedPaid, storedSent = stored(&placed), stored(&added), stored(&paid), stored(&sent)

// The results, kept from being optimized away.
var (
	encoded []byte
	decoded [4]any
)

// The default codec, for which generated code stands in, and the one for which it does not.
var byDefault, byJSON = mapping.CodecOf(), runtime.Codec(runtime.JSONCodec{})

func encodeGenerated(*testing.B) {
	end := func(w *plainjson.Writer) { encoded, _ = w.End() }
	var w plainjson.Writer
	w.Begin()
	writeOrderPlacedV2(&w, &placed)
	end(&w)
	w = plainjson.Writer{}
	w.Begin()
	writeOrderItemAddedV1(&w, &added)
	end(&w)
	w = plainjson.Writer{}
	w.Begin()
	writeOrderPaidV1(&w, &paid)
	end(&w)
	w = plainjson.Writer{}
	w.Begin()
	writeOrderShippedV1(&w, &sent)
	end(&w)
}

func encodeByJSON(b *testing.B) {
	for _, event := range []any{&placed, &added, &paid, &sent} {
		var err error
		if encoded, err = byJSON.Marshal(event); err != nil {
			b.Fatal(err)
		}
	}
}

func decode(b *testing.B, codec runtime.Codec) {
	var errs [4]error
	decoded[0], errs[0] = decodeOrderPlacedV2(codec, storedPlaced)
	decoded[1], errs[1] = decodeOrderItemAddedV1(codec, storedAdded)
	decoded[2], errs[2] = decodeOrderPaidV1(codec, storedPaid)
	decoded[3], errs[3] = decodeOrderShippedV1(codec, storedSent)
	for _, err := range errs {
		if err != nil {
			b.Fatal(err)
		}
	}
}

func decodeGenerated(b *testing.B) { decode(b, byDefault) }
func decodeByJSON(b *testing.B)    { decode(b, byJSON) }

// BenchmarkJSON compares generated code with encoding/json, alternating, and reports the median of how many times as fast it is.
func BenchmarkJSON(b *testing.B) {
	for _, row := range []struct {
		name            string
		generated, json func(*testing.B)
	}{
		{"encode", encodeGenerated, encodeByJSON},
		{"decode", decodeGenerated, decodeByJSON},
	} {
		b.Run(row.name, func(b *testing.B) {
			const rounds = 100
			measure := func(side func(*testing.B)) float64 {
				start := time.Now()
				for range rounds {
					side(b)
				}
				return float64(time.Since(start)) / rounds / float64(len(decoded))
			}
			var ours, theirs, ratios []float64
			for b.Loop() {
				ours, theirs = append(ours, measure(row.generated)), append(theirs, measure(row.json))
				ratios = append(ratios, theirs[len(theirs)-1]/ours[len(ours)-1])
			}
			for unit, figures := range map[string][]float64{"ns/generated": ours, "ns/encoding-json": theirs, "x-encoding-json": ratios} {
				slices.Sort(figures)
				b.ReportMetric(figures[len(figures)/2], unit)
			}
			b.ReportMetric(testing.AllocsPerRun(100, func() { row.generated(b) })/float64(len(decoded)), "allocs/generated")
			b.ReportMetric(testing.AllocsPerRun(100, func() { row.json(b) })/float64(len(decoded)), "allocs/encoding-json")
			b.ReportMetric(0, "ns/op")
		})
	}
}
