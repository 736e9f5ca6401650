// Package postgres is the event store on PostgreSQL 14 and later, through pgx.
//
// One [Store] type serves every kind of transaction; the constructor chooses it:
//
//	store, err := postgres.New()     // the caller's pgx.Tx
//	store, err := postgres.NewSQL()  // the caller's *sql.Tx, opened with the driver pgx/v5/stdlib
//	store, err := postgres.NewPool() // a *pgxpool.Pool: each call is a transaction of its own
//
// [NewGroup] is a fourth way: many goroutines' appends share statements and commits.
//
// The SQL is the same for the three. The tables are those that migrate-gen writes; [Check] compares a database with
// what the store needs. [NewConsumers] and [NewConsumersSQL] keep how far consumers are, beside the events; package
// consumer drives them.
//
// # Guarantees
//
// An append is one statement and one round trip, however many events there are. It locks the head of its stream, so
// concurrent appends to one stream queue up and those to different streams do not. Reading the log never loses, repeats
// or reorders an event while appends are in flight: an append holds a shared advisory lock on a lower bound of its
// positions (the fence), and a reader goes no further than the lowest bound held (the frontier). docs/store.md says how.
//
// # Isolation
//
// Appends and stream reads work at every isolation level. Reads of the log need READ COMMITTED, PostgreSQL's default:
// they return [ErrIsolation] at a higher level, [ErrStandby] on a standby, and [ErrSequence] where the sequence of the
// positions was altered so that it may draw them out of order.
//
// # Errors
//
// Those of package runtime, found by errors.Is and errors.As, and under them the server's *pgconn.PgError. After an error
// that the server sent the transaction is over, as always in PostgreSQL: roll it back. After those that a store finds
// itself it goes on: [*runtime.InvalidEventError], [runtime.ErrNoEvents], [*runtime.ConflictError], the three above.
// docs/store.md lists them all with what to do.
//
// # PgBouncer
//
// In transaction mode pgx's default statement cache cannot work unless PgBouncer is told to track prepared statements;
// use pgx.QueryExecModeExec, QueryExecModeSimpleProtocol or QueryExecModeCacheDescribe. QueryExecModeDescribeExec is for
// transactions only, not for [NewPool]: it makes two round trips, which may reach two servers' sessions.
package postgres
