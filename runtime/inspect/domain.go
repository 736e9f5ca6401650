package inspect

import "github.com/eventmap/eventmap/runtime"

// A Domain says what generated code knows of the events of a log. The Describe function of generated code returns it.
type Domain struct {
	Events []EventType // in the order of aggregate types, event types and versions
	// Decode returns a stored event in the form that the domain uses today, upcast if it is an older version.
	Decode func(*runtime.PersistedEvent) (any, error)
}

// An EventType is one version of one kind of event.
type EventType struct {
	AggregateType string
	EventType     string
	Version       int
	Current       bool   // events of this version are read as they are, without being turned into a later one
	Doc           string // of the Go type; empty: none
	Fields        []Field
}

// A Field is a member of the JSON object an event is stored as.
type Field struct {
	Name string // in JSON
	Type string // in Go
	Doc  string
	// Personal: the value is about a person. It is never shown.
	Personal bool
}

// Find returns the description of a version of an event, or nil.
func (d *Domain) Find(aggregateType, eventType string, version int) *EventType {
	if d == nil {
		return nil
	}
	for i := range d.Events {
		e := &d.Events[i]
		if e.AggregateType == aggregateType && e.EventType == eventType && e.Version == version {
			return e
		}
	}
	return nil
}

// Current returns the description of the highest version in which an event is written today, or nil.
func (d *Domain) Current(aggregateType, eventType string) *EventType {
	if d == nil {
		return nil
	}
	var current *EventType
	for i := range d.Events {
		if e := &d.Events[i]; e.AggregateType == aggregateType && e.EventType == eventType && e.Current {
			current = e // versions rise
		}
	}
	return current
}

// Personal returns the names of the members that are personal in any version of an event.
func (d *Domain) Personal(aggregateType, eventType string) []string {
	if d == nil {
		return nil
	}
	var names []string
	for i := range d.Events {
		if e := &d.Events[i]; e.AggregateType == aggregateType && e.EventType == eventType {
			for _, f := range e.Fields {
				if f.Personal {
					names = append(names, f.Name)
				}
			}
		}
	}
	return names
}
