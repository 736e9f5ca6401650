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
	Dialect    string
	Version    int    // of the schema
	Payload    string // type of the column
	Metadata   string
	Indexes    []index // what asked comes to
	AppendOnly bool
	Grants     []string // roles, sorted
	Partition  partition
	Views      []view // by name
	Strict     bool
	Retired    []eventID // events that the domain had once, and that have no view any more

	asked []wanted
}

// A wanted is an index that was asked for: by an option, or by the mark on a field.
type wanted struct {
	option string // one of IndexNames; empty: it is on a field
	view   view
	column column
}

// An index is one that the user asked for, on the events table.
type index struct {
	Subject string // one of IndexNames, or a view and its column
	Name    string // of the index
	Columns string // and what follows them
	Why     string
}

// design checks the options, each by itself and then together. The error holds all problems.
func (o Options) design() (design, error) {
	dialect, err := dialects.find(o.Dialect)
	switch {
	case err != nil:
		return design{}, err
	case dialect == sqlite:
		return o.sqliteDesign()
	}
	d := design{Dialect: dialect, Version: o.version()}
	var payload, metadata, indexes, grants, layout, views, strict, names error
	d.Payload, payload = payloadTypes.find(o.Payload)
	d.Metadata, metadata = metadataTypes.find(o.Metadata)
	d.AppendOnly = o.AppendOnly
	d.Strict, d.Retired = o.Strict, o.retired
	strict = o.checkStrict()
	var options []string
	options, indexes = indexNames.findAll(o.Indexes)
	d.Grants, grants = roles(o.Grants)
	d.Partition, layout = o.partition()
	d.tables, names = o.tables()
	d.Views, views = o.views()
	d.asked = wantedIndexes(options, d.Views)
	d.Indexes = d.indexes(d.asked)
	if names == nil && layout == nil && views == nil {
		names = d.checkDistinct()
	}
	return d, errors.Join(names, payload, metadata, indexes, grants, layout, views, strict)
}

// wantedIndexes returns what options and marks ask for.
func wantedIndexes(options []string, views []view) []wanted {
	var all []wanted
	for _, option := range options {
		all = append(all, wanted{option: option})
	}
	for _, v := range views {
		for _, c := range v.Columns {
			if c.Index != "" {
				all = append(all, wanted{view: v, column: c})
			}
		}
	}
	return all
}

// indexOptions returns the options among what was asked for.
func (d design) indexOptions() []string {
	var options []string
	for _, w := range d.asked {
		if w.option != "" {
			options = append(options, w.option)
		}
	}
	return options
}

// indexes returns the indexes that were asked for, here or of another design, as they are here.
func (d design) indexes(asked []wanted) []index {
	var all []index
	for _, w := range asked {
		all = append(all, d.index(w))
	}
	return all
}

func (d design) index(w wanted) index {
	switch w.option {
	case "event-type":
		return index{
			Subject: w.option,
			Name:    d.Events.Derived("event_type_idx").Name,
			Columns: "(event_type, global_position)",
			Why:     "Events of a type, in the order of the log.",
		}
	case "correlation":
		return index{
			Subject: w.option,
			Name:    d.Events.Derived("correlation_id_idx").Name,
			Columns: "(correlation_id, global_position) where correlation_id is not null",
			Why:     "Events of a conversation, in the order of the log.",
		}
	}
	return d.fieldIndex(w.view, w.column)
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
