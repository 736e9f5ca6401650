package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	modernc "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/eventmap/eventmap/runtime"
)

// errRolledBack: SQLite itself has rolled back a transaction in the middle, as it does when a statement that writes is
// interrupted and when the disk is full. What follows must not be taken for part of it.
var errRolledBack = errors.New("the transaction was rolled back when a statement before was broken off; begin another one")

// ErrSequenceBehind: the log holds positions that its sequence does not know of, as after the events were copied to another
// file without the table sqlite_sequence. Positions could be given twice, and readers would not see what lies beyond the
// sequence: appends and reads of the log are refused, and the transaction goes on. The error and [Check] name the statement
// that mends it.
var ErrSequenceBehind = errors.New("the sequence of the positions is behind the log")

// errNoTransaction: a method was called with nil where the transaction belongs.
var errNoTransaction = &runtime.InvalidEventError{Index: -1, Field: "tx", Reason: "is nil"}

// behind returns the error of a sequence that is behind the log, with the statement that mends it.
func (t tables) behind() error {
	return fmt.Errorf("%w, as after a copy without sqlite_sequence; set it with `%s`", ErrSequenceBehind, t.advance())
}

// advance returns the statement that sets the sequence to the end of the log. Names hold no quotes; see pgname.
func (t tables) advance() string {
	return fmt.Sprintf("delete from sqlite_sequence where name = '%[1]s' collate nocase; insert into sqlite_sequence (name, seq) select '%[1]s', max(global_position) from %[2]s",
		t.Events.Name, t.Events.Quoted())
}

// A stateError gives an error of SQLite an SQLSTATE, the code of the SQL standard by which other packages know what an
// error means, whatever the database: runtime.Retryable is true for a database that was busy (40001). The
// *sqlite.Error of modernc.org/sqlite stays in the chain.
type stateError struct {
	state string
	cause error
}

func (e *stateError) Error() string { return e.cause.Error() }
func (e *stateError) Unwrap() error { return e.cause }

// SQLState returns the code.
func (e *stateError) SQLState() string { return e.state }

// The SQLSTATEs that mean something of their own here, as PostgreSQL has them.
const (
	stateSerializationFailure = "40001"
	stateUniqueViolation      = "23505"
	stateSyntaxOrAccess       = "42000" // no such table, among others: SQLite has one code for what is wrong with SQL
	stateRolledBack           = "25P02"
)

// states are the SQLSTATEs of SQLite's codes, the extended ones where they say more.
var states = map[int]string{
	sqlite3.SQLITE_ERROR:                 stateSyntaxOrAccess,
	sqlite3.SQLITE_BUSY:                  stateSerializationFailure,
	sqlite3.SQLITE_LOCKED:                stateSerializationFailure,
	sqlite3.SQLITE_NOMEM:                 "53200",
	sqlite3.SQLITE_FULL:                  "53100",
	sqlite3.SQLITE_READONLY:              "25006",
	sqlite3.SQLITE_INTERRUPT:             "57014",
	sqlite3.SQLITE_IOERR:                 "58030",
	sqlite3.SQLITE_CANTOPEN:              "58030",
	sqlite3.SQLITE_CORRUPT:               "XX001",
	sqlite3.SQLITE_NOTADB:                "XX001",
	sqlite3.SQLITE_TOOBIG:                "54000",
	sqlite3.SQLITE_MISMATCH:              "42804",
	sqlite3.SQLITE_CONSTRAINT:            "23000",
	sqlite3.SQLITE_CONSTRAINT_UNIQUE:     stateUniqueViolation,
	sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: stateUniqueViolation,
	sqlite3.SQLITE_CONSTRAINT_ROWID:      stateUniqueViolation,
	sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY: "23503",
	sqlite3.SQLITE_CONSTRAINT_NOTNULL:    "23502",
	sqlite3.SQLITE_CONSTRAINT_CHECK:      "23514",
}

// withState returns an error of SQLite with its SQLSTATE, and any other as it is.
func withState(err error) error {
	var known *stateError
	var server *modernc.Error
	if errors.As(err, &known) || !errors.As(err, &server) {
		return err
	}
	state, ok := states[server.Code()]
	if !ok {
		state, ok = states[server.Code()&0xff]
	}
	if !ok {
		state = "XX000"
	}
	return &stateError{state, err}
}

// stateOf returns the SQLSTATE of an error, or nothing if it is not SQLite's.
func stateOf(err error) string {
	var known *stateError
	if errors.As(withState(err), &known) {
		return known.state
	}
	return ""
}

// A queryer runs statements: a transaction or a database.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// explain returns err with its SQLSTATE. If it says that something is wrong with a statement, which is never so for one of
// ours on tables that are as they should be, the database is asked what they lack.
func (t tables) explain(ctx context.Context, db queryer, err error, needed ...table) error {
	if err = withState(err); stateOf(err) != stateSyntaxOrAccess {
		return err
	}
	lacks, askErr := lacking(ctx, db, needed)
	if askErr != nil || len(lacks) == 0 {
		return err
	}
	return fmt.Errorf("%s; migrate the database with sqlite.Migrate, or with the SQL that `migrate-gen%s` writes: %w",
		strings.Join(lacks, ", "), t.flags(), err)
}
