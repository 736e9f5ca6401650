package sqlcode

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// An eventID says which version of which event it is.
type eventID struct {
	Aggregate string `json:"aggregate"`
	Event     string `json:"event"`
	Version   int    `json:"version"`
}

func (e eventID) compare(other eventID) int {
	return cmp.Or(cmp.Compare(e.Aggregate, other.Aggregate), cmp.Compare(e.Event, other.Event), cmp.Compare(e.Version, other.Version))
}

// eventsOf returns which events views show.
func eventsOf(views []view) []eventID {
	var all []eventID
	for _, v := range views {
		all = append(all, eventID{v.Aggregate, v.Event, v.Version})
	}
	return all
}

// retire keeps the events in mind that an earlier design knew and this one has no more: the log may hold them for ever.
func (d *design) retire(from design) {
	d.Retired = missing(append(eventsOf(from.Views), from.Retired...), eventsOf(d.Views))
	slices.SortFunc(d.Retired, eventID.compare)
}

// Recall returns the options with what the record of a folder, if there is one, knows beyond them: the events that the
// domain had once.
func Recall(o Options, folder Folder) (Options, error) {
	content, recorded := folder[RecordFile]
	if !recorded {
		return o, nil
	}
	_, from, err := parseRecord(content, o.version())
	if err != nil {
		return o, err
	}
	to, err := o.design()
	if err != nil {
		return o, err
	}
	to.retire(from)
	o.retired = to.Retired
	return o, nil
}

// checkStrict returns an error if there is nothing that could be told from what is unknown.
func (o Options) checkStrict() error {
	if o.Strict && o.Domain == nil && len(o.recorded) == 0 {
		return errors.New("strict: there is no domain that says which events are known; name it by --domain")
	}
	return nil
}

// KnownCheck returns the name of the check that only known events enter.
func (d design) KnownCheck() string { return d.Events.KnownCheck() }

// A knownAggregate is an aggregate and those of its events that may enter.
type knownAggregate struct {
	Name   string
	Events []eventID
}

// Known returns the events that may enter the log: those of the domain, and those that once were.
func (d design) Known() []knownAggregate {
	events := append(eventsOf(d.Views), d.Retired...)
	slices.SortFunc(events, eventID.compare)
	var all []knownAggregate
	for _, e := range events {
		if len(all) == 0 || all[len(all)-1].Name != e.Aggregate {
			all = append(all, knownAggregate{Name: e.Aggregate})
		}
		last := &all[len(all)-1]
		last.Events = append(last.Events, e)
	}
	return all
}

// knownCondition returns the SQL of the check, or nothing if there is none.
func (d design) knownCondition() string {
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

// A strictChange is the script of a check that comes, goes or changes.
type strictChange struct {
	script
	Drops    bool // the former one
	NotValid bool // what is stored already is looked at later
}

// AtOnce returns the script of a check on a log that is empty.
func (s script) AtOnce() strictChange { return strictChange{script: s} }

// validation returns the migration that looks at what was stored before the check was made, or nil if a change of designs
// needs none.
func (f format) validation(from, to design) (*migration, error) {
	if !to.Strict || from.knownCondition() == to.knownCondition() || layoutDiffers(from, to) {
		return nil, nil
	}
	s := script{design: to, format: f}
	up, err := render("strict_validate.sql.tmpl", s)
	if err != nil {
		return nil, err
	}
	down, err := render("strict_validate.down.sql.tmpl", s)
	return &migration{name: "validate", up: up, down: down}, err
}
