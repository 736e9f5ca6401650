package migration

import (
	"errors"
	"fmt"
	"strings"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/pgname"
)

// oneLogSource is the value of Options.From by which the one log of a folder becomes many.
const oneLogSource = "one-log"

// checkLogOf returns the expression that says in which log a stream is to be.
func checkLogOf(o Options) (string, error) {
	switch {
	case o.FromEventsTable != "" || o.FromHeadsTable != "" || o.FromCheckpointsTable != "":
		return "", fmt.Errorf("--from %s: the tables to move from are those of the record; leave their names out", oneLogSource)
	case strings.ContainsAny(o.LogOf, ";\n\r\x00") || strings.Contains(o.LogOf, "--") || strings.Contains(o.LogOf, "/*"):
		return "", fmt.Errorf("log of an event %q: write one expression of SQL, in one line and without comments", o.LogOf)
	}
	return o.LogOf, nil
}

// logsDiffer reports whether events are spread over logs in another way.
func logsDiffer(from, to design.Design) bool { return to.CheckLogs(from) != nil }

// canMove returns an error for a move of logs that there cannot be.
func (w Writer) canMove(from, to design.Design) error {
	switch {
	case !logsDiffer(from, to): // it was made by an earlier run
	case from.Logs.Many() || !to.Logs.Many():
		return fmt.Errorf("--from %s: moves one log into many: %w", oneLogSource, to.CheckLogs(from))
	case to.Logs.Hashed > 0 && w.logOf != "":
		return errors.New("log of an event: with --logs hash it is found by the hash of the stream's ID; leave --log-of out")
	case to.Logs.Hashed == 0 && w.logOf == "":
		return fmt.Errorf("--from %s: say in which log an event is to be by --log-of, such as --log-of \"metadata ->> 'tenant'\"", oneLogSource)
	case from.Events != to.Events || from.Heads != to.Heads || from.Checkpoints != to.Checkpoints || from.Parked != to.Parked || from.Snapshots != to.Snapshots:
		return fmt.Errorf("--from %s: tables keep their names while the log is moved, and none is added; do that in a run before or after", oneLogSource)
	case from.Payload != to.Payload || from.Metadata != to.Metadata:
		return fmt.Errorf("--from %s: columns keep their types while the log is moved; change them in a run before or after", oneLogSource)
	}
	return nil
}

// A logMove is the script that makes tables anew, from what they held before.
type logMove struct {
	design.Script
	Before string         // a schema, for the length of the migration
	Moving []pgname.Table // that go there
}

// moving returns the script that makes tables anew.
func (c change) moving(tables ...pgname.Table) logMove {
	return logMove{Script: c.after, Before: c.to.Events.Derived("before").Name, Moving: tables}
}

// Old returns the tables as they are called while they are moved.
func (m logMove) Old() design.Tables {
	old := func(t pgname.Table) pgname.Table { return pgname.Table{Schema: m.Before, Name: t.Name} }
	return design.Tables{
		Events: old(m.Events), Heads: old(m.Heads), Checkpoints: old(m.Checkpoints), Parked: old(m.Parked), Snapshots: old(m.Snapshots),
	}
}

// MovesSnapshots reports whether there are snapshots to move.
func (m logMove) MovesSnapshots() bool { return m.HasSnapshots() }

// allTables returns the script that makes all tables of a log anew.
func (c change) allTables() logMove {
	tables := []pgname.Table{c.from.Events, c.from.Heads, c.from.Checkpoints, c.from.Parked}
	if c.from.HasSnapshots() {
		tables = append(tables, c.from.Snapshots)
	}
	if c.from.HasLogs() {
		tables = append(tables, c.from.EventLogs)
	}
	return c.moving(tables...)
}

func (c change) manyLogs() any {
	with := struct {
		logMove
		LogOf string
	}{c.allTables(), c.to.Logs.Of}
	if n := c.to.Logs.Hashed; n > 0 {
		with.LogOf = design.HashedLogOf("aggregate_id", n)
	}
	return when(logsDiffer(c.from, c.to) && c.to.HasLogs(), with)
}

func (c change) oneLog() any {
	with := struct {
		logMove
		FormerLogs pgname.Table
	}{c.allTables(), c.from.EventLogs}
	return when(logsDiffer(c.from, c.to) && !c.to.HasLogs(), with)
}
