package sqlcode

import (
	"errors"
	"fmt"
	"slices"

	"github.com/eventmap/eventmap/internal/pgname"
)

// A design is what options come to: every name checked, every default filled in. Two runs with the same design write the
// same SQL.
type design struct {
	tables
	Payload    string // type of the column
	Metadata   string
	Indexes    []index
	AppendOnly bool
	Grants     []string // roles, sorted
	Partition  partition
	Views      []view // by name
}

// An index is one that the user asked for, on the events table.
type index struct {
	Option  string // one of IndexNames
	Name    string // of the index
	Columns string // and what follows them
	Why     string
}

// design checks the options, each by itself and then together. The error holds all problems.
func (o Options) design() (design, error) {
	var d design
	var payload, metadata, indexes, grants, layout, views, names error
	d.Payload, payload = payloadTypes.find(o.Payload)
	d.Metadata, metadata = metadataTypes.find(o.Metadata)
	d.AppendOnly = o.AppendOnly
	var wanted []string
	wanted, indexes = indexNames.findAll(o.Indexes)
	d.Grants, grants = roles(o.Grants)
	d.Partition, layout = o.partition()
	d.tables, names = o.tables()
	d.Views, views = o.views()
	d.Indexes = d.indexes(wanted)
	if names == nil && layout == nil && views == nil {
		names = d.checkDistinct()
	}
	return d, errors.Join(names, payload, metadata, indexes, grants, layout, views)
}

// indexes returns the indexes of these names.
func (d design) indexes(names []string) []index {
	var all []index
	for _, name := range names {
		switch name {
		case "event-type":
			all = append(all, index{
				Option:  name,
				Name:    d.Events.Derived("event_type_idx").Name,
				Columns: "(event_type, global_position)",
				Why:     "Events of a type, in the order of the log.",
			})
		case "correlation":
			all = append(all, index{
				Option:  name,
				Name:    d.Events.Derived("correlation_id_idx").Name,
				Columns: "(correlation_id, global_position) where correlation_id is not null",
				Why:     "Events of a conversation, in the order of the log.",
			})
		}
	}
	return all
}

// indexNames returns the options that the design's indexes come from.
func (d design) indexNames() []string {
	var names []string
	for _, index := range d.Indexes {
		names = append(names, index.Option)
	}
	return names
}

// roles checks the names of roles and returns them sorted, each once.
func roles(names []string) ([]string, error) {
	var problems []error
	for _, name := range names {
		if err := pgname.CheckRole(name); err != nil {
			problems = append(problems, fmt.Errorf("grant to %w", err))
		}
	}
	sorted := slices.Clone(names)
	slices.Sort(sorted)
	return slices.Compact(sorted), errors.Join(problems...)
}

// KeepsBytes reports whether the payload column takes any bytes, and not JSON only.
func (d design) KeepsBytes() bool { return d.Payload == "bytea" }

// AppendOnlyFunction returns the function, and the name of the trigger, that refuses changes of the log.
func (d design) AppendOnlyFunction() pgname.Table { return d.Events.Derived("append_only") }
