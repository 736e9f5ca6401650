// Package sqlcode writes the SQL of an event store: the tables that the runtime needs, by the names that a user chose.
// The SQL itself is in the templates; this package checks the names and fills them in. Like every generator it is pure:
// the same options give the same bytes.
package sqlcode

import (
	"errors"
	"fmt"

	"github.com/eventmap/eventmap/internal/model"
	"github.com/eventmap/eventmap/internal/pgname"
)

// Options say what the schema looks like. The zero value is the standard schema.
//
// A table is "name" or "schema.name", by the rules of pgname.ParseTable.
type Options struct {
	// Dialect is the database, one of Dialects. Empty: the first of them, PostgreSQL. For SQLite the options that mean
	// nothing there are refused.
	Dialect string
	// Format is the migration tool to write for, one of Formats. Empty: the first of them, plain SQL.
	Format string
	// Filename is the file to generate, without a folder, in the form that the tool wants; where a tool wants a file for
	// the way down too, it is the file for the way up, and the other follows from it. Empty: the tool's first migration,
	// called eventmap.
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
	// Payload is the type of the payload column, one of PayloadTypes. Empty: the first, bytea. A store has to be told of
	// another one.
	Payload string
	// Metadata is the type of the metadata column, one of MetadataTypes. Empty: the first, json.
	Metadata string
	// Indexes are further indexes on the events table, of IndexNames. Each costs every append.
	Indexes []string
	// AppendOnly has the database refuse to change or remove events.
	AppendOnly bool
	// Partition is how the events table is partitioned, one of Layouts. Empty: the first, not at all.
	Partition string
	// PartitionSize is how many positions a partition by range holds. Zero: DefaultPartitionSize.
	PartitionSize int64
	// Partitions is how many partitions there are by hash, or are made ahead of the log by range. Zero:
	// DefaultPartitions.
	Partitions int
	// PartmanSchema is the schema of the extension pg_partman, for that layout. Empty: DefaultPartmanSchema.
	PartmanSchema string
	// PartmanMaintenance is what has pg_partman make the next partitions, one of Maintenances. Empty: the first, nothing
	// that is arranged here.
	PartmanMaintenance string
	// Domain has a view made for each version of each of its events. Nil: none.
	Domain *model.Domain
	// Strict has the database refuse events that are not of the domain.
	Strict bool
	// Grants are roles that may do what an application does, by the rules of pgname.CheckRole.
	Grants []string
	// From is the schema of another event store, one of Sources, whose log the first migrations move into this one. Empty:
	// the tables are made anew.
	From string
	// The tables to move from, as they are called in the database. Empty: as that store calls them. Checkpoints that are
	// "none" are not moved.
	FromEventsTable      string
	FromHeadsTable       string
	FromCheckpointsTable string

	recorded []view    // instead of those of a domain
	retired  []eventID // events that were of the domain once
	upgrades []upgrade // further than pgname.SchemaVersion
}

// tables checks the names, each by itself, and returns them with their schemas. The error holds all problems.
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
	return tables{
		Events:      events,
		Heads:       table("aggregate heads", o.AggregateHeadsTable, events.Sibling(pgname.AggregateHeadsTable)),
		Checkpoints: table("checkpoints", o.CheckpointsTable, events.Sibling(pgname.CheckpointsTable)),
		Parked:      table("parked events", o.ParkedEventsTable, events.Sibling(pgname.ParkedEventsTable)),
	}, errors.Join(problems...)
}
