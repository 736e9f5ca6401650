#!/bin/sh
# A span of OpenTelemetry's Go SDK that is started with more than 128 links keeps the last 128, and not the first.
#
# A consumer that handles a batch links its span to the span of each event. Of a batch of 200 the links to the first 72 are
# gone: those to the events that have waited longest, for which somebody looks first. The span counts what was dropped; the
# API has no error, and at the default verbosity nothing is logged.
#
# Seen with go.opentelemetry.io/otel v1.47.0 and its sdk v1.47.0.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'MOD'
module example.com/finding

go 1.26.0

require (
	go.opentelemetry.io/otel v1.47.0
	go.opentelemetry.io/otel/sdk v1.47.0
	go.opentelemetry.io/otel/trace v1.47.0
)
MOD
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

func main() {
	ctx := context.Background()
	spans := tracetest.NewInMemoryExporter()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)).Tracer("finding")
	var links []trace.Link
	for position := range 200 {
		_, span := tracer.Start(ctx, "append")
		span.End()
		links = append(links, trace.Link{SpanContext: span.SpanContext(), Attributes: []attribute.KeyValue{attribute.Int("position", position + 1)}})
	}
	spans.Reset()
	_, batch := tracer.Start(ctx, "batch", trace.WithLinks(links...))
	batch.End()
	span := spans.GetSpans()[0]
	first, last := span.Links[0].Attributes[0].Value, span.Links[len(span.Links)-1].Attributes[0].Value
	fmt.Printf("of 200 links %d stay, of positions %d to %d; dropped: %d\n", len(span.Links), first.AsInt64(), last.AsInt64(), span.DroppedLinks)
}
GO
GOFLAGS=-mod=mod go run . >seen 2>log || { cat log; exit 1; }
cat >want <<'WANT'
of 200 links 128 stay, of positions 73 to 200; dropped: 72
WANT
diff -u want seen
cat seen
