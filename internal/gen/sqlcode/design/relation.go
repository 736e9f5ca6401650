package design

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/eventmap/eventmap/internal/pgname"
)

// Tables are the names that the templates fill in, checked. Heads is the zero value where the dialect has no such table,
// Snapshots and SubjectKeys where nobody wants one, and EventLogs where there is one log.
type Tables struct {
	Events, Heads, Snapshots, SubjectKeys, Checkpoints, Parked, EventLogs pgname.Table
}

// all returns every table, zero values included.
func (t Tables) all() []pgname.Table {
	return []pgname.Table{t.Events, t.Heads, t.Snapshots, t.SubjectKeys, t.Checkpoints, t.Parked, t.EventLogs}
}

// HasSnapshots reports whether there is a table of snapshots.
func (t Tables) HasSnapshots() bool { return t.Snapshots != pgname.Table{} }

// HasSubjectKeys reports whether there is a table of keys of personal data.
func (t Tables) HasSubjectKeys() bool { return t.SubjectKeys != pgname.Table{} }

// Schemas returns the schemas that the tables name, each once, in the order of the tables.
func (t Tables) Schemas() []string {
	var schemas []string
	for _, table := range t.all() {
		if table.Schema != "" && !slices.Contains(schemas, table.Schema) {
			schemas = append(schemas, table.Schema)
		}
	}
	return schemas
}

// hold reports whether the name of a table or of its schema holds the text.
func (t Tables) hold(text string) bool {
	for _, table := range t.all() {
		if strings.Contains(table.Quoted(), text) {
			return true
		}
	}
	return false
}

// A Relation is what takes a name among the tables of a schema: a table, an index, which has the name of its constraint,
// or a sequence.
type Relation struct {
	Name pgname.Table
	What string // for messages
}

// relations returns everything that the templates create in the namespace of tables: the tables themselves, and what
// comes with them.
func (d Design) relations() (own, derived []Relation) {
	own = []Relation{{d.Events, "the events table"}}
	if d.Dialect.hasHeads {
		own = append(own, Relation{d.Heads, "the aggregate heads table"})
	}
	if d.HasSnapshots() {
		own = append(own, Relation{d.Snapshots, "the snapshots table"})
	}
	if d.HasSubjectKeys() {
		own = append(own, Relation{d.SubjectKeys, "the table of subjects' keys"})
	}
	own = append(own, Relation{d.Checkpoints, "the checkpoints table"}, Relation{d.Parked, "the parked events table"})
	if d.HasLogs() {
		own = append(own, Relation{d.EventLogs, "the table of logs"})
	}
	if d.Dialect.namesKeys {
		for _, table := range own {
			if table.Name == d.Events && d.Partition.Layout == "hash" {
				continue // its primary key is the stream version
			}
			derived = append(derived, Relation{table.Name.Sibling(table.Name.PrimaryKey()), "the primary key of " + table.What})
		}
		if !d.HasLogs() { // each of many counts by itself
			derived = append(derived, Relation{d.Events.Sequence(), "the sequence of the events table"})
		}
		derived = append(derived,
			Relation{d.Events.Sibling(d.Events.StreamVersionKey()), "the unique index on the stream version"},
			Relation{d.Events.Sibling(d.Events.EventIDKey()), "the unique index on the event ID"},
		)
	}
	if d.Dialect.namesKeys && d.HasSubjectKeys() {
		derived = append(derived, Relation{d.SubjectKeys.Sibling(d.SubjectKeys.SubjectGenerationKey()), "the unique index on the subjects of keys"})
	}
	derived = append(derived, Relation{d.Parked.Derived("aggregate_id_idx"), "the index on the streams of parked events"})
	derived = append(derived, d.partitionRelations()...)
	for _, view := range d.Views {
		derived = append(derived, Relation{view.Table(d.Events), "the view of " + view.Aggregate + " " + view.Event})
	}
	for _, index := range d.Indexes {
		derived = append(derived, Relation{d.Events.Sibling(index.Name), "an index that was asked for"})
	}
	return own, derived
}

// checkDistinct returns an error for each two relations that have the same name. Where tables are the same already, what
// is derived from them is not mentioned.
func (d Design) checkDistinct() error {
	own, derived := d.relations()
	if err := d.Dialect.Distinct(own); err != nil {
		return err
	}
	return d.Dialect.Distinct(append(own, derived...))
}

// Distinct returns an error for each two relations that are, or by the search_path could be, the same.
func (d *Dialect) Distinct(all []Relation) error {
	var problems []error
	for i, b := range all {
		for _, a := range all[:i] {
			switch {
			case !d.sameName(a.Name.Name, b.Name.Name):
			case a.Name.Schema == b.Name.Schema:
				problems = append(problems, fmt.Errorf("%s would be %s and %s; choose other table names", b.Name, a.What, b.What))
			case a.Name.Schema == "" || b.Name.Schema == "":
				problems = append(problems, fmt.Errorf("%s, %s, may be the same as %s, %s; name the schema of both, or choose "+
					"other table names", a.Name, a.What, b.Name, b.What))
			}
		}
	}
	return errors.Join(problems...)
}
