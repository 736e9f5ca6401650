package design

import (
	"errors"
	"fmt"
	"strings"

	"github.com/eventmap/eventmap/internal/pgname"
)

// Logs are how events are spread over logs.
type Logs struct {
	Spread string // one of Spreads
	Hashed int    // how many logs there are by hash; 0: they have names
	RLS    bool   // a session sees the log that it has set
	Citus  bool   // they are distributed over the nodes of a cluster
	Moved  bool   // the one log becomes these, each event going where Of says
	Of     string // the expression of an event's log; empty: by hash
}

// DefaultHashedLogs is how many logs there are by hash where options do not say, and maxHashedLogs how many there can be.
const (
	DefaultHashedLogs = 16
	maxHashedLogs     = 1024
)

// logs checks the options that say how events are spread over logs.
func (o Options) logs(dialect *Dialect) (Logs, error) {
	spread, err := dialect.spreads.find(o.Logs)
	l := Logs{Spread: spread, RLS: o.TenantRLS, Citus: o.Citus}
	var problems []error
	note := func(is bool, format string, args ...any) {
		if is {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	note(err != nil, "%w", err)
	hash := spread == "hash"
	if hash {
		l.Hashed = o.HashedLogs
		if l.Hashed == 0 {
			l.Hashed = DefaultHashedLogs
		}
		note(l.Hashed < 1 || l.Hashed > maxHashedLogs, "hashed logs: %d; give 1 to %d", l.Hashed, maxHashedLogs)
	}
	note(o.HashedLogs != 0 && !hash, "hashed logs: %d are of the logs hash, and those here are %s", o.HashedLogs, spread)
	note(o.TenantRLS && spread != "tenant", "tenant-rls: a session sees one log, so that needs logs with names: --logs tenant")
	note(o.EventLogsTable != "" && !l.Many(), "event logs table %q: there is one log, which needs none; say --logs tenant or hash", o.EventLogsTable)
	note(l.Many() && o.Partition != "" && o.Partition != none, "partition %s: is not available for many logs, each of which is small; "+
		"a log that is not needed any more is dropped", o.Partition)
	return l, errors.Join(problems...)
}

// Many reports whether there are many logs.
func (l Logs) Many() bool { return l.Spread != "" && l.Spread != none }

// HasLogs reports whether there is a table of logs.
func (t Tables) HasLogs() bool { return t.EventLogs != pgname.Table{} }

// LogKey returns the column of the log as the first of a key; nothing where there is one log.
func (t Tables) LogKey() string {
	if !t.HasLogs() {
		return ""
	}
	return "log, "
}

// InLog returns the tables whose rows are of a log each.
func (t Tables) InLog() []pgname.Table {
	tables := []pgname.Table{t.EventLogs, t.Events, t.Heads, t.Checkpoints, t.Parked}
	if t.HasSnapshots() {
		tables = append(tables, t.Snapshots)
	}
	return tables
}

// TenantPolicy returns the name of the policy that shows a session its log.
func (t Tables) TenantPolicy(table pgname.Table) string { return table.Derived("tenant").Name }

// logDiffers returns an error for a change that only a move can make.
func (l Logs) changed(to Logs) error {
	if l.Spread == to.Spread && l.Hashed == to.Hashed {
		return nil
	}
	name := func(l Logs) string {
		if l.Hashed > 0 {
			return fmt.Sprintf("%s (%d)", l.Spread, l.Hashed)
		}
		return strings.TrimSpace(l.Spread)
	}
	return fmt.Errorf("logs %s: the migrations of this folder have %s", name(to), name(l))
}

// CheckLogs returns an error if logs would have to be moved to come from a former design to this one.
func (d Design) CheckLogs(former Design) error { return former.Logs.changed(d.Logs) }

// HashedLogOf returns the expression of the log of a stream among n, by that of its aggregate ID: the hash that the runtime has
// for segments.
func HashedLogOf(aggregateID string, n int) string {
	return fmt.Sprintf("('x' || encode(substring(sha256(convert_to(%s, 'UTF8')) for 4), 'hex'))::bit(32)::bigint %% %d", aggregateID, n)
}
