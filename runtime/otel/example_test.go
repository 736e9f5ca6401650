package otel_test

import (
	"context"
	"fmt"
	"log"

	"github.com/google/uuid"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/otel"
	"github.com/eventmap/eventmap/runtime/sqlite"
)

// A store that is wrapped tells of each append, and writes the trace into the events.
func Example() {
	ctx := context.Background()
	db, err := sqlite.Open(ctx, ":memory:")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := sqlite.Migrate(ctx, db); err != nil {
		log.Fatal(err)
	}
	inner, err := sqlite.New()
	if err != nil {
		log.Fatal(err)
	}
	spans := tracetest.NewInMemoryExporter() // in production the exporter of your backend
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	store := otel.Store(inner, otel.WithTracerProvider(provider), otel.WithSystem("sqlite"))

	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	result, err := store.Append(ctx, tx, runtime.NoStream(), []runtime.Event{{
		AggregateType: "Order", AggregateID: "42", EventType: "Placed", EventVersion: 1, EventID: uuid.New(), Payload: []byte("{}"),
	}})
	if err != nil {
		log.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		log.Fatal(err)
	}
	for _, s := range spans.GetSpans() {
		fmt.Println(s.Name, s.SpanContext.TraceID().String() == result.Events[0].TraceID.String)
	}
	// Output:
	// append Order true
}
