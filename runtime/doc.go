// Package runtime is the contract between an application, the code eventmap-gen writes for it, and a store of events.
//
// An [Event] is a fact before it is stored, a [PersistedEvent] the same fact with its place: its version within the
// stream of its aggregate, and its position within the log of all events. A [Stream] is the events of one aggregate. A
// store appends events to streams ([EventStore]) and reads them back by stream ([AggregateStreamReader]) or in the order
// of the log ([EventReader]).
//
// Programs call generated stores, which are typed by their events; what those do, by hand:
//
//	store, err := postgres.New() // or sqlite.New()
//	result, err := store.Append(ctx, tx, runtime.NoStream(), []runtime.Event{placed})
//	stream, err := store.ReadAggregateStream(ctx, tx, "Order", "42", nil, nil)
//	events, err := store.ReadEvents(ctx, tx, position, 100)
//
// The caller owns the transaction. Every interface is generic over its type, so the same contract serves pgx.Tx,
// *sql.Tx, *pgxpool.Pool, or the transaction of a store of your own. No method here commits, rolls back or sets a
// savepoint unless it says so.
//
// The package imports no driver. The PostgreSQL store is runtime/postgres, the one on SQLite runtime/sqlite; the contract
// as an executable suite is runtime/storetest. Package runtime/consumer drives read models, runtime/eventtest tests a
// domain without a database. What only generated code calls is runtime/mapping.
package runtime
