// Package consumer turns stored events into read models, messages or other effects.
//
// A [Consumer] handles one event after the other. A [Runner] drives consumers over a [Database], which runtime/postgres
// provides for pgx and for database/sql, and runtime/sqlite for SQLite:
//
//	db, err := postgres.NewConsumers(pool)
//	runner, err := consumer.New(db, consumer.Config{},
//		consumer.Registration[pgx.Tx]{Consumer: shopstore.NewOrderConsumer("orders-per-customer", handler)})
//	err = runner.Run(ctx)
//
// # Guarantees
//
// Batch, handlers and checkpoint are one transaction: what a handler writes with the transaction it is given takes effect
// exactly once, whatever crashes. Effects elsewhere happen at least once, and in order; the event's ID is the key to make
// them idempotent with. No event is lost, and no event of a stream is handled before an earlier one of the same
// stream.
//
// # Sharing the work
//
// A consumer has one or more segments; each stream lives in one, by [Segment]. A worker claims a segment by locking its
// checkpoint row for one batch. Any number of processes can run the same consumers: there is no leader, no heartbeat and
// no lock that outlives a transaction, and a process that dies lets go of its segments when its connection does.
//
// # Failures
//
// A handler that returns an error or panics is tried again with exponential backoff; the events before the one that
// failed are committed meanwhile, and not handled again. What happens after the last attempt is the consumer's [Policy]. An
// event that this process does not know is not a failure; see [UnknownPolicy]. No other consumer and no other segment waits.
package consumer
