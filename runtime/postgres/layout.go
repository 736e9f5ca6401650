package postgres

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/eventmap/eventmap/internal/pgname"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
)

// A Layout is how events are laid out: in [OneLog], which is the default, in [ManyLogs] with names, or in [HashedLogs]. It is
// what `migrate-gen --logs` made, and an [Option] of stores, [Consumers], [Check] and [NewInspector] alike.
type Layout struct {
	many   bool
	hashed int
	citus  bool
}

var (
	// OneLog is one log, with one order over all events.
	OneLog = Layout{}
	// ManyLogs are logs with names, such as one for each tenant. Each counts its own positions from 1, without gaps and in
	// the order of commits, and has its own streams. [Logs] are their stores.
	ManyLogs = Layout{many: true}
)

// MaxHashedLogs is how many logs [HashedLogs] can be.
const MaxHashedLogs = 1024

// HashedLogs are n logs with the names "0" to n-1, over which the streams of one domain are spread: a stream is in the log
// that [consumer.Segment] of its ID gives. The number stands in the database, where `migrate-gen --logs hash --hashed-logs n`
// put it; a store of another number is refused by its first call.
//
// A store of hashed logs has no order over all events: its ReadEvents, LogEvents, GetLatestGlobalPosition and
// SafeGlobalPosition return [ErrManyLogs]. The Of method of [Logs] gives one log, and consumers read all of them.
func HashedLogs(n int) Layout { return Layout{many: true, hashed: n} }

// OnCitus returns the layout of many logs that `migrate-gen --citus` has distributed over the nodes of a Citus cluster, by log. An
// append is delegated to the node of its log, in one round trip, and is a transaction of that node alone; one that appends to several
// logs is committed in two phases.
//
// AppendStreams takes streams of one log: over [HashedLogs], streams of several are refused with [ErrSeveralLogs]. Groups and the notify
// channel are refused.
//
// Stores may connect to any node, [Consumers] to the coordinator, where their checkpoints are. A handler that writes on nodes is committed
// with its checkpoint in two phases; one that writes on the coordinator alone takes none.
func (l Layout) OnCitus() Layout {
	l.citus = true
	return l
}

func (l Layout) apply(c *Config) { c.Layout = l }

// check returns an error for a layout that there cannot be.
func (l Layout) check() error {
	if l.citus && !l.many {
		return fmt.Errorf("layout on Citus: %w; give ManyLogs.OnCitus() or HashedLogs(n).OnCitus()", errOneLog)
	}
	if l.hashed < 0 || l.many && l.hashed > MaxHashedLogs || l == HashedLogs(0) && !l.many {
		return fmt.Errorf("hashed logs: %d; give 1 to %d", l.hashed, MaxHashedLogs)
	}
	return nil
}

var (
	// ErrManyLogs: positions of several logs have no common order, so this is a question to one of them; see [Logs].
	ErrManyLogs = errors.New("the events are spread over many logs, which have no common order; ask one of them")

	// ErrGap: a log of many does not hold the events that it has counted: one is missing, or one is there that was not counted,
	// as after a delete by hand or a restore of some tables. Its readers stop; other logs go on.
	ErrGap = consumer.ErrGap

	// ErrLogDropped: the log was dropped, or is being dropped. Create makes it anew, empty.
	ErrLogDropped = errors.New("the log was dropped")

	// ErrSeveralLogs: on Citus, AppendStreams was given streams of several logs, which may be on several nodes. Append to each in one
	// transaction, or keep streams that change together in one log.
	ErrSeveralLogs = errors.New("the streams are in several logs, and on Citus they have to be in one")

	// ErrUnknownLog: there is no log of that name.
	ErrUnknownLog = errors.New("unknown log")

	errOneLog = errors.New("the store is of one log")
)

// maxLogName is how long the name of a log may be, in bytes.
const maxLogName = 255

// checkLog returns an error for what cannot be the name of a log. The rules are those of stream IDs.
func checkLog(name string) error {
	fault := ""
	switch {
	case name == "":
		fault = "is empty"
	case len(name) > maxLogName:
		fault = fmt.Sprintf("has %d bytes; the longest has %d", len(name), maxLogName)
	case !runtime.ValidName(name):
		fault = "is not valid UTF-8, or holds a NUL"
	default:
		return nil
	}
	return &runtime.InvalidEventError{Index: -1, Field: "log", Reason: fault}
}

// logs are what a layout comes to in the database.
type logs struct {
	table  pgname.Table // has a row for each; the zero value where there is one log
	hashed int          // over how many streams are spread; 0: logs have names
	citus  bool         // they are distributed, and appends are delegated
}

// areMany reports whether there are many logs.
func (l *logs) areMany() bool { return l.table.Name != "" }

// quotedLogs returns the table of logs for a text, or nothing where there is one log.
func (l *logs) quotedLogs() string {
	if !l.areMany() {
		return ""
	}
	return l.table.Quoted()
}

// logOf returns the log that a stream is in.
func (s *Store[Tx]) logOf(aggregateID string) string {
	if s.tables.hashed > 0 {
		return strconv.Itoa(consumer.Segment(aggregateID, s.tables.hashed))
	}
	return s.log
}

// in returns a statement about a log. The name of the log is its last argument where there are many.
func (s *Store[Tx]) in(log, text string, args ...any) query {
	if s.tables.areMany() {
		args = append(args, log)
	}
	return query{text, args}
}

// of returns a statement about a stream.
func (s *Store[Tx]) of(aggregateID, text string, args ...any) query {
	return s.in(s.logOf(aggregateID), text, args...)
}

// across returns a statement about several streams. Where they are spread over logs it finds out by itself in which log each is; on Citus
// it is about those of one log.
func (s *Store[Tx]) across(log, text string, args ...any) query {
	if s.tables.hashed > 0 && !s.tables.citus {
		return query{text, args}
	}
	return s.in(log, text, args...)
}

// statementLog returns the log that a statement about several streams, and this one among them, is about.
func (s *Store[Tx]) statementLog(aggregateID string) string {
	if s.tables.citus {
		return s.logOf(aggregateID)
	}
	return s.log
}

// statementLogs returns the logs that it takes a statement each to reach all streams.
func (s *Store[Tx]) statementLogs() []string {
	if !s.tables.citus || s.tables.hashed == 0 {
		return []string{s.log}
	}
	logs := make([]string, s.tables.hashed)
	for i := range logs {
		logs[i] = strconv.Itoa(i)
	}
	return logs
}

// byID returns the statement that finds events by their IDs among those of the logs of some streams.
func (s *Store[Tx]) byID(eventIDs []string, aggregateIDs ...string) query {
	args := []any{eventIDs}
	if s.tables.areMany() {
		var names []string
		for _, id := range aggregateIDs {
			names = append(names, s.logOf(id))
		}
		slices.Sort(names)
		args = append(args, slices.Compact(names))
	}
	return query{s.sql.eventsByID, args}
}

// checkConsecutive returns [ErrGap] if events, which were read of one log of many after a position, do not follow each other.
func (l *logs) checkConsecutive(log string, after int64, events []runtime.PersistedEvent) error {
	if !l.areMany() {
		return nil
	}
	for i := range events {
		if want := max(after, 0) + 1; events[i].GlobalPosition != want {
			return fmt.Errorf("%w: log %q has no event at position %d, and one at %d", ErrGap, log, want, events[i].GlobalPosition)
		}
		after = events[i].GlobalPosition
	}
	return nil
}
