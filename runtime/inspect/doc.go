// Package inspect holds what can be seen of an event log without changing it: the queries of an operator, and their
// answers. The inspectors of runtime/postgres and runtime/sqlite answer them; runtime/console shows them.
//
//	inspector, err := postgres.NewInspector(pool)
//	page, err := inspector.Events(ctx, inspect.EventQuery{AggregateType: "Order", Limit: 50})
//
// Every query is bounded: it walks an index from a key that the caller gives, returns at most Limit rows, and never counts
// or skips. So what it costs does not grow with the log.
package inspect
