// Package otel tells OpenTelemetry what stores and consumers do: spans, metrics, and the link between an append and what
// handles its events. It is a module of its own, so a program that does not import it does not download it.
//
//	store := otel.Store(postgresStore)                        // a runtime.Store, with every optional interface of the inner one
//	registration.Consumer = otel.Consumer(customers)          // a consumer.Consumer
//	config.Hooks = otel.Hooks()                               // of a consumer.Config
//	group, err := postgres.NewGroup(pool, postgres.WithGroupHook(otel.GroupHook()))
//	stop, err := otel.Watch(inspector)                        // lag, frontier, parked events
//
// An append writes its trace context into the events, as TraceID and as the member traceparent of the metadata, where these
// are not set. Handling an event begins a trace of its own that links to the append: it is not a child, because a log is
// handled again, and a trace would grow without end.
//
// Labels of metrics are names of aggregate types, consumers and errors. IDs of streams and payloads are neither labels nor
// attributes.
package otel

//go:generate go run ./internal/combine
