package astscan

import (
	"slices"
	"strconv"
	"strings"
)

// shared is one type as an event of each of its aggregates, in the order in which its mark names them. Name and version are
// the same for all.
type shared []*event

// in returns the event of the named aggregate, or nil.
func (es shared) in(aggregate string) *event {
	for _, e := range es {
		if e.naming.name == aggregate {
			return e
		}
	}
	return nil
}

// names returns the aggregates.
func (es shared) names() []string {
	var names []string
	for _, e := range es {
		names = append(names, e.naming.name)
	}
	return names
}

// aggregates lists the aggregates for a message.
func (es shared) aggregates() string { return strings.Join(es.names(), " and ") }

// aggregateKeys returns what a mark says to name several aggregates.
func aggregateKeys(names []string) string {
	var keys []string
	for _, name := range names {
		keys = append(keys, "aggregate="+quoted(name))
	}
	return strings.Join(slices.Compact(keys), " ")
}

// quoted returns a name as a mark has it.
func quoted(name string) string {
	if strings.ContainsAny(name, " \t\",") || strings.Contains(name, "//") {
		return strconv.Quote(name)
	}
	return name
}
