package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	modernc "modernc.org/sqlite"
)

// patience is how long a transaction waits for the one before it to end.
const patience = 10 * time.Second

// maxConnections is how many connections a database has at most. One of them writes at a time; more than a few readers
// at once only keep the processors from each other.
const maxConnections = 16

// Open opens the database in a file, which is created if it does not exist, or in memory, for ":memory:", where each call
// opens a new one. The address may be a URI of SQLite ("file:shop.db?mode=ro"); its parameters come after those set here,
// so "file:shop.db?_pragma=synchronous(normal)" has the last word.
//
// Every connection has
//
//	journal_mode = wal     readers and the writer do not wait for each other
//	synchronous = full     an acknowledged commit survives a power cut; normal is quicker and keeps what survives the end
//	                       of a process, but a power cut may take back the last commits
//	busy_timeout = 10000   milliseconds to wait for a writer in another process
//
// and begins transactions with BEGIN IMMEDIATE, unless they are read-only. Writers of this process queue up in the order
// they came, and a context ends the wait. The error of whoever has waited for too long is one that [runtime.Retryable]
// knows, as are all errors of a database that is busy: everything from here has its SQLSTATE.
//
// A transaction that SQLite itself rolls back in its middle, because the context of a statement ended or the disk is full,
// refuses all that follows but its end.
//
// A database in memory has one connection, since it would be another one on each: one transaction at a time, read-only
// ones too. Whoever uses the database beside a transaction of its own waits for itself, until its context ends.
//
// The error says what is wrong with the address or with the file.
func Open(ctx context.Context, address string) (*sql.DB, error) {
	name, inMemory, err := dataSource(address)
	if err != nil {
		return nil, fmt.Errorf("open database %q: %w", address, err)
	}
	inner, err := modernc.NewConnector(name)
	if err != nil {
		return nil, fmt.Errorf("open database %q: %w", address, err)
	}
	db := sql.OpenDB(&connector{Connector: inner, turn: make(chan struct{}, 1)})
	connections := maxConnections
	if inMemory {
		connections = 1
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	if err := db.PingContext(ctx); err != nil {
		_ = db.Close() // nothing was opened
		return nil, fmt.Errorf("open database %q: %w", address, err)
	}
	return db, nil
}

// settings are the parameters of every connection, in the order in which they have to be made.
var settings = fmt.Sprintf("_txlock=immediate&_time_format=sqlite&_pragma=busy_timeout(%d)&_pragma=journal_mode(wal)&_pragma=synchronous(full)",
	patience.Milliseconds())

// dataSource returns the address in the driver's form.
func dataSource(address string) (name string, inMemory bool, err error) {
	if address == "" {
		return "", false, errors.New("is empty; give a file, or :memory: for none")
	}
	if address == ":memory:" {
		return "file::memory:?" + settings, true, nil
	}
	if !strings.HasPrefix(address, "file:") {
		return "file:" + (&url.URL{Path: address}).EscapedPath() + "?" + settings, false, nil
	}
	path, parameters, _ := strings.Cut(address, "?")
	query, err := url.ParseQuery(parameters)
	if err != nil {
		return "", false, err
	}
	if parameters != "" {
		parameters = "&" + parameters
	}
	return path + "?" + settings + parameters, path == "file::memory:" || query.Get("mode") == "memory", nil
}
