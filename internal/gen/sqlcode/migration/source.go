package migration

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/eventmap/eventmap/internal/gen"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/pgname"
)

// A source is the schema of another event store, whose log can be moved into ours.
type source struct {
	Name string // as the option has it
	// The tables as they are in the database. Without checkpoints that last one is empty.
	Events, Heads, Checkpoints pgname.Table
	// Its columns for aggregate_type, aggregate_id and aggregate_version, in the log and in the heads.
	Type, ID, Version string
	Consumer          string // the column of the checkpoints that names who is that far
	Subject           string // what it calls a stream in the names of its indexes
	ByType            bool   // it has an index on the type of the stream and the position
	Partitioned       bool   // by position, so that the log has to be copied
}

// Sources are the values of Options.From.
var Sources = []string{oneLogSource, "eventsalsa-v0.0", "eventsalsa-v0.2", "eventsalsa-v0.2-partitioned", fromTable}

// noCheckpoints is the name of a checkpoints table that there is none.
const noCheckpoints = "none"

// findSource checks what the options say about the store to move from, and returns nil if they say nothing. The error holds
// all problems.
func findSource(o Options) (*source, error) {
	if o.From == "" {
		if o.FromEventsTable != "" || o.FromHeadsTable != "" || o.FromCheckpointsTable != "" {
			return nil, errors.New("table to move from: there is no schema to move from; say which one it is")
		}
		return nil, nil
	}
	if !slices.Contains(Sources, o.From) || o.From == oneLogSource {
		return nil, fmt.Errorf("schema to move from %q: is not known; choose one of %s", o.From, strings.Join(Sources, ", "))
	}
	s := source{Name: o.From}
	heads, checkpoints := "stream_heads", "projection_checkpoints"
	if s.Name == "eventsalsa-v0.0" {
		heads, checkpoints = "aggregate_heads", "consumer_checkpoints"
		s.Type, s.ID, s.Version = "aggregate_type", "aggregate_id", "aggregate_version"
		s.Consumer, s.Subject = "consumer_name", "aggregate"
	} else {
		s.Type, s.ID, s.Version = "stream_type", "stream_id", "stream_version"
		s.Consumer, s.Subject, s.ByType = "projection_name", "stream", true
		s.Partitioned = s.Name == "eventsalsa-v0.2-partitioned"
	}
	var problems []error
	table := func(what, name, otherwise string) pgname.Table {
		parsed, err := pgname.ParseTable(cmp.Or(name, otherwise))
		if err != nil {
			problems = append(problems, fmt.Errorf("%s to move from: %w", what, err))
		}
		return parsed
	}
	s.Events = table("events", o.FromEventsTable, pgname.EventsTable)
	s.Heads = table("heads", o.FromHeadsTable, heads)
	if o.FromCheckpointsTable != noCheckpoints {
		s.Checkpoints = table("checkpoints", o.FromCheckpointsTable, checkpoints)
	}
	if len(problems) == 0 {
		all := []design.Relation{{Name: s.Events, What: "the events table to move from"}, {Name: s.Heads, What: "the heads table to move from"}}
		if s.HasCheckpoints() {
			all = append(all, design.Relation{Name: s.Checkpoints, What: "the checkpoints table to move from"})
		}
		problems = append(problems, design.Postgres.Distinct(all))
	}
	return &s, errors.Join(problems...)
}

// HasCheckpoints reports whether there are checkpoints to move.
func (s source) HasCheckpoints() bool { return s.Checkpoints.Name != "" }

// Renamed reports whether columns get other names.
func (s source) Renamed() bool { return s.Type != "aggregate_type" }

// Texts returns the columns of text that appends write, which get another collation.
func (s source) Texts() []string {
	return []string{s.Type, s.ID, "event_type", "trace_id", "correlation_id", "causation_id"}
}

// Columns returns all columns of the log.
func (s source) Columns() []string {
	return append(s.Texts(), s.Version, "global_position", "event_id", "event_version", "payload", "metadata", "created_at")
}

// arrival returns the design that a move comes to without writing the log anew: the nearest to what is there.
func (s source) arrival(to design.Design) (design.Design, error) {
	arrival, err := design.Options{
		EventsTable: to.Events.String(), AggregateHeadsTable: to.Heads.String(), CheckpointsTable: to.Checkpoints.String(),
		ParkedEventsTable: to.Parked.String(), Metadata: "jsonb",
	}.Design()
	arrival.Version = to.Version
	return arrival, err
}

// A move is the script that turns a source into a design.
type move struct {
	nameChange
	From source
}

// Before returns the schema that the former table stands in while it is copied.
func (m move) Before() string { return m.Events.Derived("before").Name }

// Former returns the former table while it is copied.
func (m move) Former() pgname.Table {
	return pgname.Table{Schema: m.Before(), Name: m.From.Events.Name}
}

// Back returns the renames of the way down.
func (m move) Back() nameChange {
	back := nameChange{Script: m.Script}
	for _, r := range m.Renames {
		back.Renames = append(back.Renames, rename{From: r.To, To: r.From})
	}
	return back
}

// moveFirst is the name of the first migration of a move.
const moveFirst = "checks"

// moves returns the migrations of the move, in order. What takes long, and can, comes first and lets appends go on; the
// last one is the move itself.
func (f format) moves(from source, to design.Design) ([]migration, error) {
	s := f.script(to)
	s.Former = design.Tables{Events: from.Events, Heads: from.Heads, Checkpoints: from.Checkpoints}
	m := move{nameChange: nameChange{Script: s}, From: from}
	if from.Events != to.Events {
		m.Renames = []rename{{From: from.Events, To: to.Events}}
	}
	steps := []struct {
		name, template string
		alone          bool
	}{
		{moveFirst, "move_checks", false},
		{"validate", "move_validate", false},
		{"index", "move_index", true},
		{"move", "move", false},
	}
	if from.Partitioned { // the log is copied, into a table that has all that
		steps = steps[3:]
	}
	var all []migration
	for _, step := range steps {
		one, err := f.render(to, migration{name: step.name, alone: step.alone}, step.template, m)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// move returns the migrations that move the log of the source into a design, and the record of them.
func (w Writer) move(to design.Design, folder Folder) ([]gen.File, error) {
	if err := folder.checkUnrecorded(nil); err != nil {
		return nil, err
	}
	arrival, err := w.source.arrival(to)
	if err != nil {
		return nil, err
	}
	migrations, err := w.format.moves(*w.source, arrival)
	if err != nil {
		return nil, err
	}
	rest, err := w.format.difference(arrival, to)
	if err != nil {
		return nil, err
	}
	r := w.newRecord(to)
	r.From = w.source.Name
	return w.write(append(migrations, rest...), folder, r)
}
