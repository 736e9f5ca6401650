package design

import (
	"fmt"
	"slices"
)

// A Request asks for an index: by an option, or by the mark on a field.
type Request struct {
	option string // one of IndexNames; empty: it is on a field
	view   View
	column Column
}

// An Index is one that was requested, on the events table.
type Index struct {
	Subject string // one of IndexNames, or a view and its column
	Name    string // of the index
	Columns string // and what follows them
	Why     string
}

// requests returns what options and marks ask for.
func requests(options []string, views []View) []Request {
	var all []Request
	for _, option := range options {
		all = append(all, Request{option: option})
	}
	for _, v := range views {
		for _, c := range v.Columns {
			if c.Index != "" {
				all = append(all, Request{view: v, column: c})
			}
		}
	}
	return all
}

// IndexOptions returns the options among what was asked for.
func (d Design) IndexOptions() []string {
	var options []string
	for _, r := range d.asked {
		if r.option != "" {
			options = append(options, r.option)
		}
	}
	return options
}

// WithIndexesOf returns the design with the indexes of another one. Without views there are none on fields, which call the
// same functions.
func (d Design) WithIndexesOf(other Design) Design {
	d.asked = other.asked
	if len(d.Views) == 0 {
		d.asked = slices.DeleteFunc(slices.Clone(other.asked), func(r Request) bool { return r.option == "" })
	}
	d.Indexes = d.IndexesOf(d.asked)
	return d
}

// IndexesOf returns the requested indexes, which may be those of another design, as they are here.
func (d Design) IndexesOf(requests []Request) []Index {
	var all []Index
	for _, r := range requests {
		all = append(all, d.Index(r))
	}
	return all
}

// KeptIndexes returns the requests of d for indexes that to has as well, and that a change between the two leaves.
func (d Design) KeptIndexes(to Design) []Request {
	var kept []Request
	for _, r := range d.asked {
		remade := r.option == "" && d.Payload != to.Payload || // an index on a field is on an expression of the payload
			d.Events != to.Events && !d.Dialect.renamesIndex
		if !remade && slices.Contains(to.Indexes, to.Index(r)) {
			kept = append(kept, r)
		}
	}
	return kept
}

// Index returns the requested index.
func (d Design) Index(r Request) Index {
	switch r.option {
	case "event-type":
		return Index{
			Subject: r.option,
			Name:    d.Events.Derived("event_type_idx").Name,
			Columns: "(" + d.LogKey() + "event_type, global_position)",
			Why:     "Events of a type, in the order of the log.",
		}
	case "correlation":
		return Index{
			Subject: r.option,
			Name:    d.Events.Derived("correlation_id_idx").Name,
			Columns: "(" + d.LogKey() + "correlation_id, global_position) where correlation_id is not null",
			Why:     "Events of a conversation, in the order of the log.",
		}
	}
	using := ""
	if r.column.Index != indexMethods[0] && d.Dialect.indexMethods {
		using = "using " + r.column.Index + " "
	}
	return Index{ // of the events of that view only
		Subject: r.view.Name + "_" + snake(r.column.Name),
		Name:    d.Events.Derived(r.view.Name + "_" + r.column.Name + "_idx").Name,
		Columns: fmt.Sprintf("%s(%s)\n    where %s", using, d.Expression(r.column), r.view.Condition()),
		Why:     fmt.Sprintf("Events of %s by %s.", r.view.Name, r.column.Name),
	}
}
