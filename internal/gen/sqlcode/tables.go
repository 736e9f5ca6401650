package sqlcode

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/eventmap/eventmap/internal/pgname"
)

// tables are the names that the templates fill in, checked.
type tables struct {
	Events, Heads, Checkpoints, Parked pgname.Table
}

// Schemas returns the schemas that the tables name, each once, in the order of the tables.
func (t tables) Schemas() []string {
	var schemas []string
	for _, table := range []pgname.Table{t.Events, t.Heads, t.Checkpoints, t.Parked} {
		if table.Schema != "" && !slices.Contains(schemas, table.Schema) {
			schemas = append(schemas, table.Schema)
		}
	}
	return schemas
}

// hold reports whether the name of a table or of its schema holds the text.
func (t tables) hold(text string) bool {
	for _, table := range []pgname.Table{t.Events, t.Heads, t.Checkpoints, t.Parked} {
		if strings.Contains(table.Quoted(), text) {
			return true
		}
	}
	return false
}

// A relation is what takes a name among the tables of a schema: a table, an index, which has the name of its constraint,
// or a sequence.
type relation struct {
	name pgname.Table
	what string
}

// relations returns everything that the templates create in the namespace of tables: the tables themselves, and what
// comes with them.
func (d design) relations() (own, derived []relation) {
	own = []relation{
		{d.Events, "the events table"},
		{d.Heads, "the aggregate heads table"},
		{d.Checkpoints, "the checkpoints table"},
		{d.Parked, "the parked events table"},
	}
	for _, table := range own {
		if table.name == d.Events && d.Partition.Layout == "hash" {
			continue // its primary key is the stream version
		}
		derived = append(derived, relation{table.name.Sibling(table.name.PrimaryKey()), "the primary key of " + table.what})
	}
	derived = append(derived,
		relation{d.Events.Sequence(), "the sequence of the events table"},
		relation{d.Events.Sibling(d.Events.StreamVersionKey()), "the unique index on the stream version"},
		relation{d.Events.Sibling(d.Events.EventIDKey()), "the unique index on the event ID"},
		relation{d.Parked.Derived("aggregate_id_idx"), "the index on the streams of parked events"},
	)
	derived = append(derived, d.partitionRelations()...)
	for _, view := range d.Views {
		derived = append(derived, relation{view.Table(d.Events), "the view of " + view.Aggregate + " " + view.Event})
	}
	for _, index := range d.Indexes {
		derived = append(derived, relation{d.Events.Sibling(index.Name), "an index that was asked for"})
	}
	return own, derived
}

// checkDistinct returns an error for each two relations that have the same name. Where tables are the same already, what
// is derived from them is not mentioned.
func (d design) checkDistinct() error {
	own, derived := d.relations()
	if err := distinct(own); err != nil {
		return err
	}
	return distinct(append(own, derived...))
}

// distinct returns an error for each two relations that are, or by the search_path could be, the same.
func distinct(all []relation) error {
	var problems []error
	for i, b := range all {
		for _, a := range all[:i] {
			switch {
			case a.name == b.name:
				problems = append(problems, fmt.Errorf("%s would be %s and %s; choose other table names", a.name, a.what, b.what))
			case a.name.Name == b.name.Name && (a.name.Schema == "" || b.name.Schema == ""):
				problems = append(problems, fmt.Errorf("%s, %s, may be the same as %s, %s; name the schema of both, or choose "+
					"other table names", a.name, a.what, b.name, b.what))
			}
		}
	}
	return errors.Join(problems...)
}
