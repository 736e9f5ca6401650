package postgres

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/eventmap/eventmap/internal/pgname"
	"github.com/eventmap/eventmap/runtime"
)

var (
	// ErrIsolation: the log was read in REPEATABLE READ or SERIALIZABLE. There the snapshot is older than the frontier,
	// and events would be lost. Read it in READ COMMITTED. The transaction is still usable.
	ErrIsolation = errors.New("the log can be read in READ COMMITTED only")

	// ErrStandby: the log was read on a standby. The advisory locks of appends in flight are not known there, and events
	// would be lost. Read it on the primary. Streams can be read on a standby.
	ErrStandby = errors.New("the log cannot be read on a standby")

	// ErrSequence: somebody has altered the sequence of the positions, so that they are no longer drawn in rising order:
	// with a CACHE a session keeps positions back and brings them late, and events would be lost. The transaction is still
	// usable, and appends go on; see [Check] for what mends it.
	ErrSequence = errors.New("the log cannot be read while its sequence may draw positions out of order; " +
		"it needs cache 1, a positive increment, no cycle and values from 1")

	// ErrSequenceBehind: the log holds positions that its sequence has not given out yet, as after a restore without the
	// sequence, or on what was a logical replica, since sequences are not replicated. The next events would be stored below
	// what readers have passed, and no reader would see them: appends and reads of the log are refused. The error and [Check]
	// name the statement that sets the sequence. A refused append ends the transaction; after a refused read it is still usable.
	ErrSequenceBehind = errors.New("the sequence of the positions is behind the log")

	// ErrUnknownOutcome: nobody knows whether an append of a [Group] is stored, since the connection broke, or the caller's
	// context ended, after it was sent and before the server answered. Append the same events again, IDs included.
	ErrUnknownOutcome = errors.New("the append may or may not be stored; append the same events again")

	// ErrClosed: the [Group] takes no more appends.
	ErrClosed = errors.New("the group is closed")
)

// The SQLSTATEs that mean something of their own to a store. PostgreSQL documents them in its appendix "Error Codes".
const (
	stateUniqueViolation      = "23505"
	stateNotNull              = "23502"
	stateCheckViolation       = "23514"
	stateDivisionByZero       = "22012"
	stateLogarithm            = "2201E"
	stateSerializationFailure = "40001"
	stateUndefinedTable       = "42P01"
	stateUndefinedColumn      = "42703"
	stateInvalidSchema        = "3F000"
	stateInsufficientRights   = "42501"
	stateLockNotAvailable     = "55P03"
	stateNoTransaction        = "25P01"
	stateInvalidSavepoint     = "3B001"
	stateCompletionUnknown    = "40003"
	stateIO                   = "58030"
	stateInternal             = "XX000"
	classConnection           = "08"
)

// storedFewer says that fewer events were stored than given, and why that may be.
func storedFewer(stored, given int) error {
	return fmt.Errorf("%d of %d events were stored; a trigger, rule or policy of the events table kept the others out: roll back", stored, given)
}

// A stateError gives a server's error the meaning it has for a store, and keeps both in the chain of errors.
type stateError struct {
	meaning error
	server  *pgconn.PgError
}

func (e *stateError) Error() string   { return e.meaning.Error() + ": " + e.server.Error() }
func (e *stateError) Unwrap() []error { return []error{e.meaning, e.server} }

// classify returns err with its meaning for a store, if it is a server's error that has one, and err itself if not.
// Messages depend on the server's language; only the name of a constraint that Citus reports nowhere else is read from one.
// In an append, a serialization failure is taken
// for a lost race on the stream: it is the one row that appends compete for.
func (t tables) classify(err error, appending bool) error {
	var server *pgconn.PgError
	if !errors.As(err, &server) {
		return err
	}
	switch server.Code {
	case stateUniqueViolation:
		if meaning := t.violated(server); meaning != nil {
			return &stateError{meaning, server}
		}
		if t.drawnTwice(server) {
			return fmt.Errorf("%w: %w", t.behind(), err)
		}
	case stateLogarithm: // of sound in sql/parts.sql
		return fmt.Errorf("%w: %w", t.behind(), err)
	case stateCheckViolation:
		if t.areMany() && constraint(server) == t.table.DroppedCheck() {
			return &stateError{ErrLogDropped, server}
		}
		if server.ConstraintName == t.events.KnownCheck() {
			return fmt.Errorf("an event is not among those that the log was told of by `migrate-gen --strict`; "+
				"run the migration that lets it in first: %w", err)
		}
		if server.ConstraintName == "" && server.TableName == t.events.Name { // no partition takes the row
			return fmt.Errorf("no partition of %s is for the next position: make partitions ahead of the log, or, after a restore or a promotion, "+
				"set the sequence as postgres.Check says: %w", t.events, err)
		}
	case stateSerializationFailure:
		if appending {
			return &stateError{runtime.ErrOptimisticConcurrency, server}
		}
	case stateUndefinedTable, stateInvalidSchema:
		moved := ""
		if t.events.Schema == "" {
			moved = ", or, if they are there, have the role's search_path name their schema"
		}
		if !t.areMany() {
			moved += ", or, if the log was moved into many, give the store postgres.ManyLogs or postgres.HashedLogs"
		}
		return fmt.Errorf("table %s, table %s or the %s is missing; create them with the SQL that `migrate-gen%s` writes%s: %w",
			t.events, t.heads, t.counter(), t.flags(), moved, err)
	case stateUndefinedColumn:
		return fmt.Errorf("table %s or table %s lacks a column and is older than this runtime; migrate it with the SQL that `migrate-gen%s` writes: %w",
			t.events, t.heads, t.flags(), err)
	case stateNotNull:
		if server.ColumnName == "log" && !t.areMany() {
			return fmt.Errorf("table %s is of many logs, and the store is of one; give it postgres.ManyLogs or postgres.HashedLogs: %w", t.events, err)
		}
	case stateInsufficientRights:
		return fmt.Errorf("the role needs select and insert on %s, select, insert, update and delete on %s, and %s: %w",
			t.events, t.heads, t.counterRights(), err)
	}
	return err
}

// violated returns what the violation of a unique constraint means, or nil if the constraint is none that an append is
// meant to meet. PostgreSQL reports the constraint of the partition, where there is one, so its name is derived from the
// table that is reported. The name that PostgreSQL itself would choose for a key that ends in event_id is taken too.
func (t tables) violated(server *pgconn.PgError) error {
	reported := pgname.Table{Name: server.TableName}
	switch name := constraint(server); {
	case name == t.events.EventIDKey(), name == reported.EventIDKey(), strings.HasSuffix(name, "_event_id_key"):
		return runtime.ErrDuplicateEvent
	case name == t.events.StreamVersionKey(), name == reported.StreamVersionKey(), strings.HasSuffix(name, "_aggregate_version_key"):
		return runtime.ErrOptimisticConcurrency
	}
	return nil
}

// drawnTwice reports whether the unique constraint is that on the positions.
func (t tables) drawnTwice(server *pgconn.PgError) bool {
	reported := pgname.Table{Name: server.TableName}
	name := constraint(server)
	return name == t.events.PrimaryKey() || name == reported.PrimaryKey()
}

// shardName finds what a message quotes last. Behind the name of a constraint Citus has the number of the shard.
var shardName = regexp.MustCompile(`.*"([^"]+?)(?:_\d+)?"`)

// constraint returns the name of the constraint that was violated.
func constraint(server *pgconn.PgError) string {
	if m := shardName.FindStringSubmatch(server.Message); server.ConstraintName == "" && m != nil {
		return m[1]
	}
	return server.ConstraintName
}

// behind returns the error of a sequence that is behind the log, with the statement that mends it.
func (t tables) behind() error {
	if t.areMany() {
		return fmt.Errorf("%w: the events that table %s has counted are not those that table %s holds; postgres.Check names the log", ErrGap, t.table, t.events)
	}
	return fmt.Errorf("%w, as after a restore or on what was a logical replica; set %s with `%s`", ErrSequenceBehind, t.events.Sequence(), t.advance())
}

// counter names what counts positions, and counterRights what an append needs of it.
func (t tables) counter() string {
	if t.areMany() {
		return "table " + t.table.String()
	}
	return "sequence " + t.events.Sequence().String()
}

// counterRights is described at counter.
func (t tables) counterRights() string {
	if t.areMany() {
		return "select, insert and update on " + t.table.String()
	}
	return "select on sequence " + t.events.Sequence().String()
}

// advance returns the statement that sets the sequence to the end of the log. Names hold no quotes; see pgname.
func (t tables) advance() string {
	return fmt.Sprintf("select setval('%s', max(global_position)) from %s", t.events.Sequence().Quoted(), t.events.Quoted())
}

// A statementError is the error of an append statement, as opposed to that of the reads that explain why one wrote nothing.
type statementError struct{ err error }

func (e *statementError) Error() string { return e.err.Error() }
func (e *statementError) Unwrap() error { return e.err }

// outcome returns err, the error of an append statement that is a transaction of its own, as [ErrUnknownOutcome] too unless
// it is sure that nothing was stored: the server said so in an error that does not end the session, or nothing was sent.
// A server that has others behind it, as a coordinator of Citus has, says 58030 or XX000 when one of them died, perhaps
// after it had committed.
func outcome(err error) error {
	server, refused := serverError(err)
	sure := refused && server.Code != stateIO && server.Code != stateInternal
	if sure || pgconn.SafeToRetry(err) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnknownOutcome, err)
}

// serverError returns the server's error that ended a transaction, but not the session: a session that ends, as with a
// server that shuts down, may do so after its last commit. So may one that the server itself has with another.
func serverError(err error) (*pgconn.PgError, bool) {
	var server *pgconn.PgError
	if !errors.As(err, &server) || server.SeverityUnlocalized != "ERROR" ||
		strings.HasPrefix(server.Code, classConnection) || server.Code == stateCompletionUnknown {
		return nil, false
	}
	return server, true
}

// isDivisionByZero reports whether err is the error that append_streams.sql provokes.
func isDivisionByZero(err error) bool {
	var server *pgconn.PgError
	return errors.As(err, &server) && server.Code == stateDivisionByZero
}

// flags returns the options of migrate-gen that make these tables, each after a blank.
func (t tables) flags() string {
	var b strings.Builder
	if t.events.String() != defaultEventsTable {
		fmt.Fprintf(&b, " --events-table %s", t.events)
	}
	if t.heads.String() != defaultAggregateHeadsTable {
		fmt.Fprintf(&b, " --aggregate-heads-table %s", t.heads)
	}
	if t.snapshots.String() != t.events.Sibling(pgname.SnapshotsTable).String() {
		fmt.Fprintf(&b, " --snapshots-table %s", t.snapshots)
	}
	switch {
	case t.hashed > 0:
		fmt.Fprintf(&b, " --logs hash --hashed-logs %d", t.hashed)
	case t.areMany():
		b.WriteString(" --logs tenant")
	}
	if t.citus {
		b.WriteString(" --citus")
	}
	if t.areMany() && t.table != t.events.Sibling(pgname.EventLogsTable) {
		fmt.Fprintf(&b, " --event-logs-table %s", t.table)
	}
	return b.String()
}
