package consumer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Logs are the logs that a consumer is for, where a database has many: [AllLogs] or [OnlyLogs]. The zero value is all of many,
// or the one.
type Logs struct {
	given bool
	names []string // nil: all
}

// AllLogs are all logs that there are and will be. A database of one log is refused.
func AllLogs() Logs { return Logs{given: true} }

// OnlyLogs are the named logs, which need not exist yet.
func OnlyLogs(names ...string) Logs { return Logs{given: true, names: append([]string{}, names...)} }

// LogOf returns the log that a handler, by its context, is given events of; an empty one where there is one log. Positions are of
// the log: what is written elsewhere is told from other events by both.
func LogOf(ctx context.Context) string {
	log, _ := ctx.Value(logKey{}).(string)
	return log
}

// withLog returns a context by which handlers know the log.
func withLog(ctx context.Context, log string) context.Context {
	if log == "" {
		return ctx
	}
	return context.WithValue(ctx, logKey{}, log)
}

type logKey struct{}

// check returns an error for logs that a consumer cannot be for.
func (l Logs) check() error {
	switch {
	case l.names == nil:
		return nil
	case len(l.names) == 0:
		return errors.New("it is for no log at all")
	case slices.Contains(l.names, ""):
		return errors.New("a log has no name")
	}
	return nil
}

// ManyLogs is what a [Database] of many logs does in place of what it does for the one. A database that can have many has the
// method ManyLogs, which returns this and whether it has.
//
// A consumer has a checkpoint for each log, and one without a log, which stands for the consumer itself. Workers claim (consumer,
// log) as they claim segments of the one log.
type ManyLogs[Tx any] interface {
	// Poll looks at the logs and at the checkpoints of the consumers, in one statement. Of the logs that have something to do for
	// one it returns most at most.
	Poll(ctx context.Context, consumers []LogsOf, most int) (LogState, error)
	// Adopt makes the checkpoints of a consumer for the logs that are new to it. Where a consumer runs for the first time, they are
	// at the start; later ones are at the beginning.
	Adopt(ctx context.Context, tx Tx, of LogsOf, start LogsStart) error
	// Reached reports whether a consumer has handled, or parked, every event of logs up to the given positions. A log that is no
	// more counts as handled.
	Reached(ctx context.Context, consumer string, positions map[string]int64) (bool, error)
	// Ends returns the positions of the last events of logs that have any; of all logs for nil.
	Ends(ctx context.Context, logs []string) (map[string]int64, error)
	// Standing returns how a consumer stands in all logs together, and its checkpoints that matter most, at most so many: those
	// that are stopped, then those that fail, then those that are furthest behind.
	Standing(ctx context.Context, tx Tx, consumer string, most int) (LogsStatus, []Checkpoint, error)
}

// LogsOf are the logs that a consumer is for.
type LogsOf struct {
	Consumer string
	Logs     []string // nil: all
}

// LogsStart is where a consumer starts in each of the logs that there are when it first runs. The zero value is the beginning.
type LogsStart struct {
	Now bool      // behind every event
	At  time.Time // if not zero: before the first event that happened then or later
}

// A LogsStatus is how a consumer stands in many logs.
type LogsStatus struct {
	Logs    int64 // for which it has a checkpoint
	Behind  int64 // of these, have events that are not handled
	Stopped int64
	Events  int64 // of all logs that are not handled, those of other aggregate types included
}

// Limits of what is looked at at once where there are many logs.
const (
	maxDueLogs   = 128 // to be claimed between two looks
	maxLogStatus = 100 // of a consumer that Status tells
)

// manyLogs returns what a database does with many logs, or nil if it has one.
func manyLogs[Tx any](db Database[Tx]) ManyLogs[Tx] {
	if of, ok := db.(interface{ ManyLogs() (ManyLogs[Tx], bool) }); ok {
		if logs, many := of.ManyLogs(); many {
			return logs
		}
	}
	return nil
}

// checkLogs returns an error for a registration that does not suit how the database has its logs.
func (r *Runner[Tx]) checkLogs(c *registered[Tx]) error {
	switch {
	case r.logs == nil && c.Logs.given:
		return fmt.Errorf("%s: %w: there is one log, so leave Logs out", c.name, ErrLogs)
	case r.logs != nil && c.Segments > 1:
		return fmt.Errorf("%s: %w: there are many logs, which workers share, so leave Segments out and say how many Workers there are", c.name, ErrLogs)
	case r.logs != nil && c.From.kind == fromPosition && c.From.position > 0:
		return fmt.Errorf("%s: %w: it cannot begin at a position, since each log has its own", c.name, ErrLogs)
	}
	return nil
}

// logsOf returns the logs that a consumer is for.
func (c *registered[Tx]) logsOf() LogsOf { return LogsOf{c.name, c.Logs.names} }

// poll looks at the log, or the logs, and at the checkpoints of the registered consumers.
func (r *Runner[Tx]) poll(ctx context.Context) (LogState, error) {
	if r.logs == nil {
		return r.db.Poll(ctx, r.Names())
	}
	all := make([]LogsOf, len(r.consumers))
	for i, c := range r.consumers {
		all[i] = c.logsOf()
	}
	return r.logs.Poll(ctx, all, maxDueLogs)
}

// adopt makes the checkpoints of a consumer for the logs that are new to it.
func (r *Runner[Tx]) adopt(ctx context.Context, c *registered[Tx]) error {
	start := LogsStart{Now: c.From.kind == fromNow}
	if c.From.kind == fromTime {
		start.At = c.From.at
	}
	return r.in(ctx, func(tx Tx) error { return r.logs.Adopt(ctx, tx, c.logsOf(), start) })
}

// one returns an error if the database has many logs: what is asked is about a position of the one.
func (r *Runner[Tx]) one(instead string) error {
	if r.logs != nil {
		return fmt.Errorf("%w: there are many logs, each with its own positions; call %s", ErrLogs, instead)
	}
	return nil
}

// dueLogs are the logs that have something to do for a consumer, as the last look has seen them.
type dueLogs struct {
	mu   sync.Mutex
	logs []string // those that are furthest behind first
	full bool     // there may be more
}

// set notes what a look has seen.
func (d *dueLogs) set(logs []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.logs, d.full = slices.Clone(logs), len(logs) == maxDueLogs
}

// except returns the logs without those that are to be kept off.
func (d *dueLogs) except(parts []Part) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(d.logs), func(log string) bool { return slices.Contains(parts, Part{Log: log}) })
}

// remove notes that logs have nothing more to do.
func (d *dueLogs) remove(logs ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.logs = slices.DeleteFunc(d.logs, func(log string) bool { return slices.Contains(logs, log) })
}

// drained reports, once, that the logs of a look that may have left some out are done.
func (d *dueLogs) drained() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	drained := d.full && len(d.logs) == 0
	d.full = d.full && !drained
	return drained
}
