// Package sqlite is the event store on SQLite, in a file or in memory, through modernc.org/sqlite, which is pure Go: no
// server, no cgo. It keeps the contract of package runtime over *sql.Tx.
//
//	db, err := sqlite.Open(ctx, "shop.db") // or ":memory:"
//	err = sqlite.Migrate(ctx, db)          // or with the SQL of `migrate-gen --dialect sqlite`
//	store, err := sqlite.New()
//
// [Open] sets a database up as the store wants it; see there. A *sql.DB that was opened in another way works too, as far
// as [Check] finds nothing wrong with it. [NewConsumers] keeps how far consumers are, beside the events; package consumer
// drives them.
//
// # One writer
//
// SQLite lets one transaction write at a time, in all processes. Transactions of a database from [Open] say so when they
// begin (BEGIN IMMEDIATE): they wait for the one before, for ten seconds at most, and then nothing gets in their way
// until they commit. So appends never wait in the middle of a transaction, never deadlock, and a lost race is only what
// a [runtime.ConflictError] says: the stream is not where it was expected. A transaction that is begun read-only
// (sql.TxOptions) waits for nobody and keeps nobody waiting; it sees the database as it was at its first read.
//
// # The log
//
// Positions are given in the order of commits, because a transaction keeps all others from writing until it ends. So
// whoever sees position 12 sees everything before it, for ever: the frontier of the log is its last position, and no
// fence is needed. A rollback takes its positions back before anybody has seen them, but for its own transaction: there,
// [Store.ReadEvents] and [Store.LogEvents] leave out what the transaction itself has appended through this Store.
//
// # Durability
//
// [Open] asks for journal_mode=wal and synchronous=full: a commit that was acknowledged survives the end of the process
// and a power cut, as far as the disk keeps what it says is written. In memory nothing survives.
package sqlite
