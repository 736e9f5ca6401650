package design

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// An EventVersion names one version of an event of an aggregate.
type EventVersion struct {
	Aggregate string `json:"aggregate"`
	Event     string `json:"event"`
	Version   int    `json:"version"`
}

func (e EventVersion) compare(other EventVersion) int {
	return cmp.Or(cmp.Compare(e.Aggregate, other.Aggregate), cmp.Compare(e.Event, other.Event), cmp.Compare(e.Version, other.Version))
}

// eventsOf returns which events views show.
func eventsOf(views []View) []EventVersion {
	var all []EventVersion
	for _, v := range views {
		all = append(all, EventVersion{v.Aggregate, v.Event, v.Version})
	}
	return all
}

// After returns the design as the successor of another one. It keeps the events in mind that the former knew and that it
// has no more: the log may hold them for ever.
func (d Design) After(former Design) Design {
	d.Retired = nil
	current := eventsOf(d.Views)
	for _, e := range append(eventsOf(former.Views), former.Retired...) {
		if !slices.Contains(current, e) {
			d.Retired = append(d.Retired, e)
		}
	}
	slices.SortFunc(d.Retired, EventVersion.compare)
	d.KnownInline = former.KnownInline && d.KnownCondition() == former.KnownCondition()
	return d
}

// KnowsAll reports whether every event that enters the log of another design may enter here.
func (d Design) KnowsAll(other Design) bool {
	known := append(eventsOf(d.Views), d.Retired...)
	return !slices.ContainsFunc(append(eventsOf(other.Views), other.Retired...), func(e EventVersion) bool { return !slices.Contains(known, e) })
}

// KnownCheck returns the name of the check that only known events enter.
func (d Design) KnownCheck() string { return d.Events.KnownCheck() }

// KnownFunction returns the function that the check asks.
func (d Design) KnownFunction() Function {
	return Function{d.Events.Derived("known"), "text, text, integer"}
}

// A KnownAggregate is an aggregate and those of its events that may enter.
type KnownAggregate struct {
	Name   string
	Events []EventVersion
}

// Known returns the events that may enter the log: those of the domain, and those that once were.
func (d Design) Known() []KnownAggregate {
	events := append(eventsOf(d.Views), d.Retired...)
	slices.SortFunc(events, EventVersion.compare)
	var all []KnownAggregate
	for _, e := range events {
		if len(all) == 0 || all[len(all)-1].Name != e.Aggregate {
			all = append(all, KnownAggregate{Name: e.Aggregate})
		}
		last := &all[len(all)-1]
		last.Events = append(last.Events, e)
	}
	return all
}

// KnownCondition returns text that is equal for designs with the same check, and nothing if there is none.
func (d Design) KnownCondition() string {
	if !d.Strict {
		return ""
	}
	var b strings.Builder
	for _, a := range d.Known() {
		b.WriteString(a.Name)
		for _, e := range a.Events {
			fmt.Fprintf(&b, " %q %d", e.Event, e.Version)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// A StrictChange is the script of a check that comes, or of what its function knows.
type StrictChange struct {
	Script
	Adds     bool // the check
	Drops    bool // the former one
	NotValid bool // what is stored already is looked at later
}

// AtOnce returns the script of a check on a log that is empty.
func (s Script) AtOnce() StrictChange { return StrictChange{Script: s, Adds: true} }
