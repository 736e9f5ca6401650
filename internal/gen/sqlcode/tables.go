package sqlcode

import (
	"errors"
	"fmt"
	"slices"

	"github.com/eventmap/eventmap/internal/pgname"
)

// tables are the names that the templates fill in, checked.
type tables struct {
	Events, Heads, Checkpoints, Parked pgname.Table
}

// Marker returns the words by which the runtime knows the version of the schema.
func (t tables) Marker() string { return pgname.Marker() }

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

// A relation is what takes a name among the tables of a schema: the tables, their indexes, and the sequence. An index has
// the name of its constraint.
type relation struct {
	name pgname.Table
	what string
}

// relations returns everything that the templates create in the namespace of tables, tables first.
func (t tables) relations() []relation {
	all := []relation{
		{t.Events, "the events table"},
		{t.Heads, "the aggregate heads table"},
		{t.Checkpoints, "the checkpoints table"},
		{t.Parked, "the parked events table"},
	}
	for _, table := range all {
		all = append(all, relation{table.name.Sibling(table.name.PrimaryKey()), "the primary key of " + table.what})
	}
	return append(all,
		relation{t.Events.Sequence(), "the sequence of the events table"},
		relation{t.Events.Sibling(t.Events.StreamVersionKey()), "the unique index on the stream version"},
		relation{t.Events.Sibling(t.Events.EventIDKey()), "the unique index on the event ID"},
	)
}

// checkDistinct returns an error for each two relations that are, or by the search_path could be, the same.
func (t tables) checkDistinct() error {
	var problems []error
	all := t.relations()
	for i, b := range all {
		for _, a := range all[:i] {
			if a.name.Name != b.name.Name {
				continue
			}
			switch {
			case a.name.Schema == b.name.Schema:
				problems = append(problems, fmt.Errorf("%s would be %s and %s; choose other table names", b.name, a.what, b.what))
			case a.name.Schema == "" || b.name.Schema == "":
				problems = append(problems, fmt.Errorf("%s, %s, may be the same as %s, %s; name the schema of both, or choose other table names", a.name, a.what, b.name, b.what))
			}
		}
	}
	return errors.Join(problems...)
}
