package inspect

import (
	"time"

	"github.com/eventmap/eventmap/runtime/consumer"
)

// A Frontier is how far a log is written, and how far it can be read.
type Frontier struct {
	// Drawn is the highest position that an append has drawn, committed or not. Frontier is the one up to which no append is
	// in flight: no consumer reads beyond it.
	Drawn, Frontier int64
	// Holders are the transactions that hold the frontier back, the one that holds it lowest first, a handful at most.
	Holders []consumer.Holder
	// Now is the clock of the database.
	Now time.Time
}

// A Session is a connection to the database server, within a transaction. What the role of the inspector may not see is
// empty.
type Session struct {
	PID         int
	User        string    // its role
	Application string    // application_name
	Client      string    // address of the client; empty: a socket of the same machine
	State       string    // as in pg_stat_activity: active, idle in transaction, ...
	Since       time.Time // when the transaction began
}

// A Checkpoint is how far one segment of a consumer is, and who works on it.
type Checkpoint struct {
	consumer.Checkpoint
	// Oldest is when the first event after Position happened; zero: there is none.
	Oldest time.Time
	// Worker is the session that has claimed the segment; nil: nobody has, or the database does not say.
	Worker *Session
}

// MaxCount is where counting ends: a count of MaxCount is "at least so many".
const MaxCount = 1000

// A CheckpointQuery selects checkpoints, in the order of their consumers and segments.
type CheckpointQuery struct {
	Consumer string // only of this one; empty: of all
	Limit    int
}

// A ParkedQuery selects parked events, in the order of their consumers and positions.
type ParkedQuery struct {
	Consumer      string // only of this one; empty: of all
	Position      int64  // only the one at this position; 0: all
	AfterConsumer string // only after this consumer and position
	AfterPosition int64
	Limit         int
}

// A Parked is a parked event, and what the log says of it.
type Parked struct {
	Consumer string
	consumer.ParkedEvent
	// EventType, EventVersion, Version and CreatedAt are those of the event; zero if it is not in the log any more.
	EventType    string
	EventVersion int
	Version      int64 // in its stream
	CreatedAt    time.Time
}

// A Summary is how a log and all of its consumers are, read by one statement.
type Summary struct {
	// Drawn, Frontier and Now are as in a [Frontier].
	Drawn, Frontier int64
	Now             time.Time
	// HeldSince is since when the transaction is open that holds the frontier back; zero: none does, or it is not known.
	HeldSince time.Time
	Consumers []ConsumerSummary
}

// A ConsumerSummary is how one consumer is.
type ConsumerSummary struct {
	Consumer string
	// Behind is how many positions lie between the segment that is furthest behind and the frontier. For a consumer of all
	// events that is how many events it has not handled, but for gaps.
	Behind int64
	// Oldest is when the first event after that segment's position happened; zero: it is not behind.
	Oldest time.Time
	// Failing and Stopped are how many segments wait for a retry, and are stopped.
	Failing, Stopped int
	Parked           int // events, counted up to MaxCount
}
