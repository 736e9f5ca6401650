// Package model is what lies between scanning and generating: a team's aggregates and events as plain data, in a fixed
// order, with the positions they were found at. It knows neither syntax trees nor the type checker.
package model

import "slices"

// A Domain is everything the generators are told about the user's code.
type Domain struct {
	Output     Output
	Aggregates []Aggregate // by Name
	Notes      []Note      // by Pos
	Doubts     []Note      // questions that a mark answers: what may or may not be an event; by Pos
	Warnings   []Note      // what is stored in a way that is probably not meant; by Pos
	// LooseIndexes are the marks //eventmap:index on fields that are in no event's JSON, in the order of their positions.
	LooseIndexes []Position
}

// Output is the package that code is generated into.
type Output struct {
	Package
	// Declared holds the names that hand-written files of the package, its own test files among them, declare already.
	Declared map[string]Position
	// TestDeclared holds those of its external test package, name_test.
	TestDeclared map[string]Position
}

// A Package is a Go package by its import path and the name its files declare.
type Package struct {
	Path string
	Name string
}

// A TypeName is a named Go type. Without a package it is predeclared.
type TypeName struct {
	Package Package
	Name    string
}

// An Aggregate is a kind of stream and the closed set of events that its streams hold.
type Aggregate struct {
	Name  string   // as stored in aggregate_type
	Pos   Position // of what names it
	Why   string   // where the name comes from: "mark", "interface order.Event", "folder domain/order/events"
	Sum   *Sum     // the domain's own interface over the events, or nil
	State *State   // what the events fold into, or nil
	ID    ID
	// IsSubject says that each stream is of one subject of personal data, whom its ID names.
	IsSubject bool
	Events    []Event // by Name, then Version
}

// A Sum is an interface of the domain that exactly the aggregate's events implement.
type Sum struct {
	Type TypeName
	Pos  Position
}

// An ID is the type by which the domain names a stream of the aggregate.
type ID struct {
	Type TypeName // zero: string
	Form IDForm
	// Stringer is what identifies the type whose String makes the ID, such as github.com/google/uuid.UUID; of StringerID.
	Stringer string
	// Parser is a function of the domain that makes an ID of its string, as func(string) (ID, error); of StringerID.
	Parser TypeName
	// Unmarshals says that a pointer to the ID has UnmarshalText; of StringerID without a Parser.
	Unmarshals bool
}

// An IDForm says how an ID becomes the string that is stored.
type IDForm int

const (
	StringID   IDForm = iota // it is a string
	StringKind               // it is converted: string(id)
	StringerID               // it is asked: id.String()
)

// An Event is one version of one kind of event.
type Event struct {
	Name    string // as stored in event_type
	Version int    // from 1
	Type    TypeName
	Pointer bool   // values are pointers: only *Type implements the aggregate's Sum
	Doc     string // the first sentence of its doc comment
	Pos     Position
	Upcast  *Upcast // how it becomes the next version, or nil
	Payload *Shape  // the JSON it is stored as, by the default codec
	Forget  *Forget // it says that a subject is to be forgotten, or nil
}

// A Forget is the mark //eventmap:forget on an event.
type Forget struct {
	Subject string // the JSON name of the field that says who is forgotten; empty: the stream's ID does
}

// An Upcast is a function of the domain that turns one version of an event into a later one.
type Upcast struct {
	Func         TypeName // the function's package and name
	To           int      // the version it makes
	TakesPointer bool
	GivesPointer bool
	ReturnsError bool
	Pos          Position
}

// A State is the type an aggregate's events fold into.
type State struct {
	Type TypeName
	Pos  Position
	// Snapshots says what keeps snapshots of the state apart from those of other code, or is nil if the aggregate has none.
	Snapshots *Snapshots
	Appliers  []Applier // one that takes the Sum, or one for each event that can reach it, in the order of Events
}

// Snapshots are what stands for the code by which an aggregate's events become its state.
type Snapshots struct {
	// Fingerprint is the SHA-256, in hexadecimal, of everything that the fold reaches.
	Fingerprint string
	// Files are those in which something of it stands.
	Files []FoldFile
}

// A FoldFile is a file that a fold reaches.
type FoldFile struct {
	Path string // absolute
	Sum  string // of its tokens: comments and layout do not count
}

// An Applier is a method of a [State] that takes one event, or any event of the sum.
type Applier struct {
	Method          string
	Event           string // the event's Name; empty: takes the Sum
	Version         int
	TakesPointer    bool // the event is passed as a pointer
	PointerReceiver bool
	Result          Result
	ReturnsError    bool // as its last result
	Pos             Position
}

// A Result says what an [Applier] does with the state.
type Result int

const (
	Mutates       Result = iota // it changes its receiver
	GivesState                  // it returns the new state
	GivesStatePtr               // it returns a pointer to the new state
)

// A Note explains one decision of the scan: what was taken or left, and why.
type Note struct {
	Pos  Position
	Text string
}

// Current reports whether e is a version that user code meets: one that no upcaster turns into a later one.
func (e *Event) Current() bool { return e.Upcast == nil }

// Personal returns the fields of e that are sealed in the log, in their order.
func (e *Event) Personal() []*Field {
	var personal []*Field
	if e.Payload == nil {
		return nil
	}
	for i := range e.Payload.Fields {
		if e.Payload.Fields[i].Personal != nil {
			personal = append(personal, &e.Payload.Fields[i])
		}
	}
	return personal
}

// HasPersonal reports whether an event of the domain has fields that are sealed in the log.
func (d *Domain) HasPersonal() bool {
	return slices.ContainsFunc(d.Aggregates, func(a Aggregate) bool { return a.HasPersonal() })
}

// HasPersonal reports whether an event of a has fields that are sealed in the log.
func (a *Aggregate) HasPersonal() bool {
	return slices.ContainsFunc(a.Events, func(e Event) bool { return len(e.Personal()) > 0 })
}

// Latest returns the highest version of the named event, or nil if there is none.
func (a *Aggregate) Latest(name string) *Event {
	var latest *Event
	for i := range a.Events {
		if a.Events[i].Name == name {
			latest = &a.Events[i]
		}
	}
	return latest
}

// Event returns the named version, or nil if there is none.
func (a *Aggregate) Event(name string, version int) *Event {
	for i := range a.Events {
		if a.Events[i].Name == name && a.Events[i].Version == version {
			return &a.Events[i]
		}
	}
	return nil
}
