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

// The names of what is generated where Options say nothing else. They are also where the runtime looks by default.
const (
	DefaultFilename            = "0001_eventmap.sql"
	DefaultEventsTable         = "events"
	DefaultAggregateHeadsTable = "aggregate_heads"
	DefaultCheckpointsTable    = "consumer_checkpoints"
	DefaultParkedEventsTable   = "parked_events"
)

// Options say what the schema looks like. The zero value is the standard schema.
//
// A table is "name" or "schema.name", by the rules of pgname.ParseTable; empty means the default above.
type Options struct {
	// Filename is the file to generate, ending in .sql and without a folder. Empty: DefaultFilename.
	Filename string
	// Schema is created if it is missing, and holds the tables that name no schema themselves. Empty: those tables are
	// created, and later found, by the search_path of the connection.
	Schema              string
	EventsTable         string
	AggregateHeadsTable string
	CheckpointsTable    string
	ParkedEventsTable   string
}

// tables checks the names, each by itself and then together, and returns them with the schema applied. The error holds
// all problems.
func (o Options) tables() (tables, error) {
	var t tables
	var problems []error
	if o.Schema != "" {
		problems = append(problems, pgname.CheckSchema(o.Schema))
	}
	for _, table := range []struct {
		to                 *pgname.Table
		what, name, byRule string
	}{
		{&t.Events, "events", o.EventsTable, DefaultEventsTable},
		{&t.Heads, "aggregate heads", o.AggregateHeadsTable, DefaultAggregateHeadsTable},
		{&t.Checkpoints, "checkpoints", o.CheckpointsTable, DefaultCheckpointsTable},
		{&t.Parked, "parked events", o.ParkedEventsTable, DefaultParkedEventsTable},
	} {
		name := table.name
		if name == "" {
			name = table.byRule
		}
		parsed, err := pgname.ParseTable(name)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s %w", table.what, err))
			continue
		}
		*table.to = parsed.In(o.Schema)
	}
	if err := errors.Join(problems...); err != nil {
		return tables{}, err
	}
	return t, t.checkDistinct()
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
