// Package sqlcode writes the SQL of an event store: the tables that the runtime needs, by the names that a user chose.
// The SQL itself is in the templates; this package checks the names and fills them in. Like every generator it is pure:
// the same options give the same bytes.
package sqlcode

import (
	"errors"
	"fmt"
	"strings"

	"github.com/eventmap/eventmap/internal/pgname"
)

// DefaultFilename is the file that is generated where Options name none. It is the first migration of most tools.
const DefaultFilename = "0001_eventmap.sql"

// Options say what the schema looks like. The zero value is the standard schema.
//
// A table is "name" or "schema.name", by the rules of pgname.ParseTable.
type Options struct {
	// Filename is the file to generate, ending in .sql and without a folder. Empty: DefaultFilename.
	Filename string
	// Schema holds the tables whose names below give none. Empty: they are created, and later found, by the search_path
	// of the connection.
	Schema string
	// EventsTable is the event log. Empty: pgname.EventsTable.
	EventsTable string
	// The other tables. Empty: the name of the same constant of pgname, beside the events table, whatever schema that
	// is in; this is where the runtime looks when it is told of the events table only.
	AggregateHeadsTable string
	CheckpointsTable    string
	ParkedEventsTable   string
}

// tables checks the names, each by itself and then together, and returns them with their schemas. The error holds all
// problems.
func (o Options) tables() (tables, error) {
	var problems []error
	note := func(err error) {
		if err != nil {
			problems = append(problems, err)
		}
	}
	if o.Schema != "" {
		note(pgname.CheckSchema(o.Schema))
	}
	table := func(what, name string, otherwise pgname.Table) pgname.Table {
		if name == "" {
			return otherwise
		}
		parsed, err := pgname.ParseTable(name)
		if err != nil {
			note(fmt.Errorf("%s %w", what, err))
		}
		return parsed.In(o.Schema)
	}
	events := table("events", o.EventsTable, pgname.Table{Name: pgname.EventsTable}.In(o.Schema))
	t := tables{
		Events:      events,
		Heads:       table("aggregate heads", o.AggregateHeadsTable, events.Sibling(pgname.AggregateHeadsTable)),
		Checkpoints: table("checkpoints", o.CheckpointsTable, events.Sibling(pgname.CheckpointsTable)),
		Parked:      table("parked events", o.ParkedEventsTable, events.Sibling(pgname.ParkedEventsTable)),
	}
	if len(problems) == 0 {
		note(t.checkDistinct())
	}
	return t, errors.Join(problems...)
}

// filename returns the name of the file to generate.
func (o Options) filename() (string, error) {
	switch {
	case o.Filename == "":
		return DefaultFilename, nil
	case strings.ContainsAny(o.Filename, "/\\\x00"):
		return "", fmt.Errorf("file name %q: names a folder; the output folder is given by itself", o.Filename)
	case !strings.HasSuffix(o.Filename, ".sql") || strings.HasPrefix(o.Filename, "."):
		return "", fmt.Errorf("file name %q: does not end in .sql, or begins with a dot", o.Filename)
	}
	return o.Filename, nil
}
