package main

import "regexp"

// A benchmarkGoal is what a figure of a benchmark of Go is to reach. Those of the store's bench are in its own code.
type benchmarkGoal struct {
	name   *regexp.Regexp
	unit   string
	bound  float64
	atMost bool
}

var benchmarkGoals = []benchmarkGoal{
	{regexp.MustCompile(`^cmd/eventmap-gen Command/plain/events=200$`), "run/load", 1.25, true},
	{regexp.MustCompile(`^cmd/eventmap-gen Command/plain/events=200$`), "MB-peak/new", 40, true},
	{regexp.MustCompile(`^cmd/eventmap-gen Command/snapshots/`), "run/load", 1.5, true},
	{regexp.MustCompile(`^cmd/eventmap-gen Adopt/`), "adopt/load", 1.5, true},
	{regexp.MustCompile(`^cmd/catalog-gen Shop$`), "run/load", 1.5, true},
	{regexp.MustCompile(`^cmd/migrate-gen Process$`), "ns/op", 30e6, true},
	{regexp.MustCompile(`^examples/shop Mapping$`), "ratio", 1.05, true},
	{regexp.MustCompile(`^examples/shop/shopstore JSON/`), "x-encoding-json", 3, false},
	{regexp.MustCompile(`^examples/shop Typed/read$`), "x-encoding-json", 1.6, false},
	{regexp.MustCompile(`^examples/shop Typed/handle$`), "x-encoding-json", 1.8, false},
	{regexp.MustCompile(`^examples/shop Rebuild$`), "ratio", 5, false},
	{regexp.MustCompile(`^examples/shop Rebuild$`), "heap-MiB", 64, true},
	{regexp.MustCompile(`^runtime/consumer Delay_`), "p99-ms", 100, true},
	{regexp.MustCompile(`^runtime/otel Append$`), "x/append-noop", 0.97, false},
	{regexp.MustCompile(`^runtime/otel Append$`), "x/append-sampled", 0.92, false},
	{regexp.MustCompile(`^runtime/relay/nats Relay$`), "events/s", 20_000, false},
}
