package consumer

import (
	"context"
	"fmt"
	"time"

	"github.com/eventmap/eventmap/runtime"
)

// A Database keeps what a [Runner] has to remember, in the same place as what handlers write. runtime/postgres has one
// for pgx and one for database/sql, and runtime/sqlite one. It is safe for concurrent use; a transaction is not.
//
// Methods that take a transaction leave it as it is: only [Transactions] begins and ends one. An error of any method but
// for those that [ErrTransactionEnded] is about means trouble with the database and is never held against an event.
type Database[Tx any] interface {
	Transactions[Tx]
	Savepoints[Tx]
	Segments[Tx]
	Checkpoints[Tx]
	Log[Tx]
	ParkedEvents[Tx]
	Watcher
}

// Transactions are begun and ended here only.
type Transactions[Tx any] interface {
	// Begin begins a transaction in which each statement sees what was committed before it: READ COMMITTED. It may leave
	// that to the first statement, and only take a connection.
	Begin(ctx context.Context) (Tx, error)
	// Commit commits. The error is [ErrTransactionEnded] if the transaction had ended before. After an error it is to be
	// rolled back.
	Commit(ctx context.Context, tx Tx) error
	// Rollback rolls back, even if ctx is done. An error means that the connection is lost, and with it the transaction;
	// there is none if the transaction had ended before.
	Rollback(ctx context.Context, tx Tx) error
}

// Savepoints let a transaction survive a handler that failed. There is one in each transaction, before every event.
type Savepoints[Tx any] interface {
	// Savepoint sets the savepoint.
	Savepoint(ctx context.Context, tx Tx) error
	// RenewSavepoint keeps what was done since the savepoint, and sets it anew. It fails if a statement since then has
	// failed, or with [ErrTransactionEnded]; then nothing is kept.
	RenewSavepoint(ctx context.Context, tx Tx) error
	// RollbackToSavepoint undoes what was done since the savepoint, which stays. An error means that the transaction is of
	// no more use.
	RollbackToSavepoint(ctx context.Context, tx Tx) error
}

// Segments are what workers share: each is claimed for one transaction at a time.
type Segments[Tx any] interface {
	// Claim locks the checkpoint of a segment until the transaction ends and returns it as last committed, together with
	// the frontier of the log. Given [AnySegment] it takes, of those that nobody else has claimed, that are behind the
	// frontier, not stopped, not waiting for a retry and not excepted, the one that is furthest behind, and never waits.
	// Given a segment it takes that one, and waits for whoever has claimed it: most often that is a connection of our own,
	// which was just closed and whose end the server has yet to notice. The result is nil if there is none.
	Claim(ctx context.Context, tx Tx, consumer string, q ClaimQuery) (*Claim, error)
	// Save writes the checkpoint of a segment that was claimed in this transaction, Position and what has to do with
	// failures, and commits. The segment is not claimed again before retryIn has passed. The error is
	// [ErrTransactionEnded] if the transaction of the claim is over. After an error nothing is committed, and the
	// transaction is to be rolled back.
	Save(ctx context.Context, tx Tx, c *Claim, retryIn time.Duration) error
}

// AnySegment is any segment that has something to do.
const AnySegment = -1

// A ClaimQuery says which segment to claim.
type ClaimQuery struct {
	Segment int      // this one, or AnySegment
	Log     string   // this one, where there are many and not AnySegment
	Except  []Part   // with AnySegment: none of these
	Logs    []string // with AnySegment, where there are many logs: the first of these that is to be had
}

// A Part is what a worker claims: a segment of the one log, or one of many logs.
type Part struct {
	Log     string // empty where there is one log
	Segment int    // 0 where there are many
}

// String names the part.
func (p Part) String() string {
	if p.Log != "" {
		return fmt.Sprintf("log %q", p.Log)
	}
	return fmt.Sprintf("segment %d", p.Segment)
}

// attr returns the part as a key and its value for a log of what happens.
func (p Part) attr() (key string, value any) {
	if p.Log != "" {
		return "log", p.Log
	}
	return "segment", p.Segment
}

// A Claim is a segment that is locked for the transaction it was claimed in.
type Claim struct {
	Checkpoint
	// Frontier is how far the log can be read: no append brings an event at or below it any more.
	Frontier int64
	// Transaction tells the transaction of the claim from others.
	Transaction string
	// Idle is set by the runner, before it saves, if nothing was handled in the transaction and only Position moves. It does
	// no harm if a crash undoes that after the commit, so the commit need not wait for the disk.
	Idle bool
}

// A Checkpoint says how far one segment of a consumer is.
type Checkpoint struct {
	Consumer string
	Log      string // where there are many, each with one segment; empty where there is one log
	Segment  int    // from 0
	Segments int    // how many the consumer has
	// Position: every event of the segment up to here is handled or parked.
	Position int64
	// Handled is set after the number of segments has changed: the positions that the former segments had reached.
	// Events up to the one of their former segment are handled too. It is nil once Position has passed them all.
	Handled []int64
	// Failures counts the failed attempts at the event that is next; 0 after a success.
	Failures int
	// FailedPosition is the position of the event that LastError is about: the next one, which has failed, or which is of a
	// type that a process did not know. 0 and "" after a success.
	FailedPosition int64
	LastError      string
	// RetryAt is when the segment is claimed again after a failure, by the clock of the database. Zero: at once.
	RetryAt time.Time
	// StoppedAt is since when the segment is stopped, by the policy of its consumer, or with no Failures by [Runner.Pause].
	// Zero: it runs.
	StoppedAt time.Time
	UpdatedAt time.Time
	// ReplayUntil is the frontier as it was when the consumer first ran, or was reset: events up to there are replayed.
	ReplayUntil int64
	// Astray reports whether the log has another event at or below the position than the checkpoint names: a database notes
	// the ID of the last event up to the position, or to the highest of Handled, with each checkpoint. It is not set by a
	// runner.
	Astray bool
	// LogEnd is how far the log can be read, where there are many. It is not set by a runner.
	LogEnd int64
}

// Part returns what the checkpoint is of.
func (c *Checkpoint) Part() Part { return Part{c.Log, c.Segment} }

// Checkpoints are changed as a whole where no worker is in the way.
type Checkpoints[Tx any] interface {
	// Create makes the checkpoints of a consumer, where it is to start, unless it has some.
	Create(ctx context.Context, tx Tx, consumer string, segments int, start StartPosition) error
	// Checkpoints returns the checkpoints of a consumer in the order of their segments; none if it does not exist. With
	// lock, it waits for every worker to end its transaction and keeps workers away until this one ends.
	Checkpoints(ctx context.Context, tx Tx, consumer string, lock bool) ([]Checkpoint, error)
	// Stop stops the segments of a consumer that run, which this transaction has locked: StoppedAt is set, LastError is the
	// reason, and there is neither a failure nor a retry.
	Stop(ctx context.Context, tx Tx, consumer, reason string) error
	// Replace replaces the checkpoints of a consumer, which this transaction has locked. Position, Handled and
	// ReplayUntil are kept as given; failures are forgotten. None at all means that the consumer is forgotten.
	Replace(ctx context.Context, tx Tx, consumer string, checkpoints []Checkpoint) error
}

// Log is the log as consumers read it.
type Log[Tx any] interface {
	// Read returns the events of a selection in the order of their positions, in the memory of the buffer if they fit.
	Read(ctx context.Context, tx Tx, s Selection, buffer []runtime.PersistedEvent) (Page, error)
	// Lag counts the events of a selection, up to its limit.
	Lag(ctx context.Context, tx Tx, s Selection) (Lag, error)
	// PositionAt returns the position of the last event that happened before a time, as far as events were stored in the order
	// of their times, or 0.
	PositionAt(ctx context.Context, tx Tx, at time.Time) (int64, error)
	// Events returns the events at the given positions of a log, as far as they exist, in the order of their positions.
	Events(ctx context.Context, tx Tx, log string, positions []int64) ([]runtime.PersistedEvent, error)
}

// A Selection is the events that a segment of a consumer has to handle between two positions.
type Selection struct {
	Consumer          string
	Log               string   // where there are many
	After, Through    int64    // After is excluded, Through is included
	Limit             int      // at most this many events
	Bytes             int64    // at most as many as this holds, by their payloads and metadata, but always one; 0: any
	AggregateTypes    []string // only these; nil: all
	Segment, Segments int      // only streams of this segment of so many
	Handled           []int64  // not these events; see Checkpoint
}

// IsWhole reports whether the selection is of every event of a log between its positions.
func (s *Selection) IsWhole() bool {
	return s.AggregateTypes == nil && s.Segments == 1 && s.Handled == nil
}

// A Page is what was read of a selection.
type Page struct {
	Events []runtime.PersistedEvent
	// More reports whether the selection may hold further events, which a limit has left out.
	More bool
	// Behind reports that the database could read up to Through only, which is before the end of the selection: it reads on a
	// standby.
	Behind  bool
	Through int64
	// Parked reports whether the consumer has any parked events, of whatever stream.
	Parked bool
}

// Lag is how much of a selection there is.
type Lag struct {
	Events int64         // as far as they were counted
	Age    time.Duration // since the first of them happened, by its CreatedAt and the clock of the database; 0: no events
}

// ParkedEvents are set aside by [Park].
type ParkedEvents[Tx any] interface {
	// Park adds a parked event of a consumer, or replaces its attempts and its error.
	Park(ctx context.Context, tx Tx, consumer string, p ParkedEvent) error
	// Unpark removes the parked events of a consumer at the given positions of a log, or all for nil, and returns how many there
	// were. Where there are many logs, an empty one means all.
	Unpark(ctx context.Context, tx Tx, consumer, log string, positions []int64) (int64, error)
	// Parked returns parked events of a consumer in the order of their positions.
	Parked(ctx context.Context, tx Tx, consumer string, q ParkedQuery) ([]ParkedEvent, error)
	// CountParked returns how many events of a consumer are parked.
	CountParked(ctx context.Context, tx Tx, consumer string) (int64, error)
	// ParkedStreams returns those of the streams of the events, which are of one log, that have parked events.
	ParkedStreams(ctx context.Context, tx Tx, consumer, log string, events []runtime.PersistedEvent) ([]Stream, error)
}

// A Stream names the events of one aggregate.
type Stream struct {
	AggregateType, AggregateID string
	Log                        string // where there are many
}

// A ParkedEvent is an event that a consumer set aside.
type ParkedEvent struct {
	Stream
	GlobalPosition int64
	// Attempts is how often it was tried. 0: it only waits behind an earlier event of its stream.
	Attempts int
	Error    string // of the last attempt
	ParkedAt time.Time
}

// A ParkedQuery selects parked events of a consumer.
type ParkedQuery struct {
	AfterLog string  // where there are many logs: only events after this log, or After in it
	After    int64   // only events after this position
	Limit    int     // at most this many
	Stream   *Stream // only of this stream; nil: of all
	Log      string  // only of this log, where there are many; empty: of all
}

// A Watcher tells whether there is anything to do, without a transaction.
type Watcher interface {
	// Poll looks at the log and at the checkpoints of the consumers, in one cheap statement.
	Poll(ctx context.Context, consumers []string) (LogState, error)
	// Holders returns the transactions that hold the frontier back, those that hold it back the most first, at most limit.
	Holders(ctx context.Context, limit int) ([]Holder, error)
	// Listen calls notify after appends until ctx is done or the connection is lost, whose error it returns. It returns
	// nil at once where the store has no channel to listen on.
	Listen(ctx context.Context, notify func()) error
}

// A LogState is how far the log is, and how the consumers stand.
type LogState struct {
	// Drawn is the highest position that an append has drawn so far, committed or not. Frontier is how far the log can be
	// read now.
	Drawn, Frontier int64
	Consumers       []State // of the consumers that have checkpoints
}

// A Holder is a transaction that has appended and is still open: no consumer can read past the position before its first
// event until it ends.
type Holder struct {
	After       int64     // the frontier is not beyond this position while it is open
	PID         int       // of its server process; 0: it has none
	Application string    // application_name of its connection
	User        string    // its role
	State       string    // what its connection does, as in pg_stat_activity: "active", "idle in transaction"
	Since       time.Time // when it began; zero: not known
}

// A State is how far a consumer is.
type State struct {
	Consumer        string
	Lowest, Highest int64 // of the positions of its segments; where there are many logs, the sum of its positions in all
	Due             bool  // a segment is behind the frontier, not stopped and not waiting for a retry
	Stopped         bool  // a segment is stopped
	// RetryIn is how long the first of the segments that wait for a retry has to wait; negative: none waits.
	RetryIn time.Duration

	// The following are where there are many logs.
	End     int64    // the sum of the ends of its logs
	New     int64    // logs for which it has no checkpoint yet
	Ahead   string   // a log that is not as far as its checkpoint; empty: none
	DueLogs []string // logs with something to do, those that are furthest behind first, up to a limit
}
