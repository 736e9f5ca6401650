package catalog

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/eventmap/eventmap/internal/model"
	"github.com/eventmap/eventmap/internal/schemalock"
)

// A change is what a consumer of an event has to know.
type change struct {
	Kind      string                  `json:"kind"`
	Aggregate string                  `json:"aggregate"`
	Event     string                  `json:"event"`
	Version   int                     `json:"version"`
	Since     int                     `json:"since,omitempty"` // the version that the fields are compared with
	Doc       string                  `json:"doc,omitempty"`
	Fields    []schemalock.Difference `json:"fields,omitempty"`
	Notice    string                  `json:"notice"` // what it means for a consumer
}

// The kinds of changes, in the order in which they are told.
const (
	eventAdded     = "event-added"
	versionAdded   = "version-added"
	payloadChanged = "payload-changed"
	readAs         = "read-as"
	versionRemoved = "version-removed"
	eventRemoved   = "event-removed"
)

var kinds = []string{eventAdded, versionAdded, payloadChanged, readAs, versionRemoved, eventRemoved}

// Changes returns what a consumer of the domain's events has to know since a lock, as text or as json. since is what the
// lock is called; nil is one that has nothing locked.
func Changes(before *schemalock.Lock, domain *model.Domain, since, form string) (string, error) {
	if before == nil {
		before = &schemalock.Lock{}
	}
	changes := compare(before, domain)
	if form == "json" {
		content, err := document(object{{"since", since}, {"changes", append([]change{}, changes...)}})
		return string(content), err
	}
	return notes(changes, since), nil
}

// compare finds the changes, in the order in which they are told.
func compare(before *schemalock.Lock, domain *model.Domain) (changes []change) {
	now := schemalock.Of(domain)
	for i := range now.Events {
		e := &now.Events[i]
		old := find(before, e.Aggregate, e.Name, e.Version)
		c := change{Aggregate: e.Aggregate, Event: e.Name, Version: e.Version}
		switch {
		case old != nil:
			toNew := e.Upcast != 0 && find(before, e.Aggregate, e.Name, e.Upcast) == nil // told with that version
			changes = append(changes, compareVersion(c, old, e, toNew)...)
			continue
		case latest(before, e.Aggregate, e.Name) == nil && latest(now, e.Aggregate, e.Name) != e:
			continue // an older version of an event that is new: told with its latest
		case latest(before, e.Aggregate, e.Name) == nil:
			c.Kind, c.Fields = eventAdded, schemalock.Differences(&model.Shape{Kind: model.ObjectShape}, e.Payload)
			c.Notice = fmt.Sprintf("Handlers of %s must handle it or ignore it. Deploy consumers before the code that emits it.", e.Aggregate)
		default:
			c.Kind, c.Since = versionAdded, previous(now, e)
			if older := find(now, e.Aggregate, e.Name, c.Since); older != nil {
				c.Fields = schemalock.Differences(older.Payload, e.Payload)
			}
			c.Notice = chain(now, e)
		}
		c.Doc = docOf(domain, e)
		changes = append(changes, c)
	}
	for i := range before.Events {
		old := &before.Events[i]
		if find(now, old.Aggregate, old.Name, old.Version) != nil {
			continue
		}
		c := change{Kind: versionRemoved, Aggregate: old.Aggregate, Event: old.Name, Version: old.Version, Notice: "Stored events of it can no longer be read."}
		if latest(now, old.Aggregate, old.Name) == nil {
			c.Kind = eventRemoved
		}
		changes = append(changes, c)
	}
	slices.SortStableFunc(changes, func(a, b change) int {
		return cmp.Or(cmp.Compare(a.Aggregate, b.Aggregate), slices.Index(kinds, a.Kind)-slices.Index(kinds, b.Kind), cmp.Compare(a.Event, b.Event), a.Version-b.Version)
	})
	return changes
}

// compareVersion finds what is different in a version that was there. toNew says that it is read as a version that was not.
func compareVersion(c change, old, e *schemalock.Event, toNew bool) (changes []change) {
	if fields := schemalock.Differences(old.Payload, e.Payload); len(fields) > 0 {
		c := c
		c.Kind, c.Fields = payloadChanged, fields
		c.Notice = "Stored events keep the form that they were written in: consumers must accept both."
		changes = append(changes, c)
	}
	if old.Upcast != e.Upcast && !toNew {
		c.Kind = readAs
		switch {
		case e.Upcast == 0:
			c.Notice = fmt.Sprintf("Consumers get this version itself; before, they got version %d in its place. Their handlers need a method for it.", old.Upcast)
		case old.Upcast == 0:
			c.Notice = fmt.Sprintf("Consumers get version %d in its place.", e.Upcast)
		default:
			c.Notice = fmt.Sprintf("Consumers get version %d in its place; before, it was version %d.", e.Upcast, old.Upcast)
		}
		changes = append(changes, c)
	}
	return changes
}

// chain says what becomes of the versions before a new one.
func chain(l *schemalock.Lock, e *schemalock.Event) string {
	var read, kept []string
	for i := range l.Events {
		other := &l.Events[i]
		if other.Aggregate != e.Aggregate || other.Name != e.Name || other.Version >= e.Version {
			continue
		}
		version := fmt.Sprint(other.Version)
		to := other.Upcast
		for to != 0 && to < e.Version {
			next := find(l, e.Aggregate, e.Name, to)
			if next == nil || next.Upcast == 0 {
				break
			}
			to = next.Upcast
		}
		if to == e.Version {
			read = append(read, version)
		} else {
			kept = append(kept, version)
		}
	}
	var b strings.Builder
	if len(read) > 0 {
		fmt.Fprintf(&b, "Events stored as version %s are read as this version.", strings.Join(read, " or "))
	}
	if len(kept) > 0 {
		fmt.Fprintf(&b, " Events stored as version %s are not converted to it: handlers have a method for each.", strings.Join(kept, " or "))
	}
	return strings.TrimSpace(b.String())
}

func find(l *schemalock.Lock, aggregate, name string, version int) *schemalock.Event {
	for i := range l.Events {
		if e := &l.Events[i]; e.Aggregate == aggregate && e.Name == name && e.Version == version {
			return e
		}
	}
	return nil
}

// latest returns the highest version of an event, or nil.
func latest(l *schemalock.Lock, aggregate, name string) (found *schemalock.Event) {
	for i := range l.Events {
		if e := &l.Events[i]; e.Aggregate == aggregate && e.Name == name {
			found = e
		}
	}
	return found
}

// previous returns the version before one.
func previous(l *schemalock.Lock, e *schemalock.Event) (version int) {
	for _, other := range l.Events {
		if other.Aggregate == e.Aggregate && other.Name == e.Name && other.Version < e.Version {
			version = other.Version
		}
	}
	return version
}

func docOf(d *model.Domain, e *schemalock.Event) string {
	for i := range d.Aggregates {
		if a := &d.Aggregates[i]; a.Name == e.Aggregate {
			if found := a.Event(e.Name, e.Version); found != nil {
				return found.Doc
			}
		}
	}
	return ""
}

// notes returns the changes as release notes.
func notes(changes []change, since string) string {
	var b strings.Builder
	if len(changes) == 0 {
		fmt.Fprintf(&b, "No event has changed since %s.\n", since)
		return b.String()
	}
	fmt.Fprintf(&b, "Changes since %s\n", since)
	aggregate := ""
	for _, c := range changes {
		if c.Aggregate != aggregate {
			aggregate = c.Aggregate
			fmt.Fprintf(&b, "\n%s\n%s\n", line(aggregate), strings.Repeat("=", len([]rune(line(aggregate)))))
		}
		name := line(c.Event)
		switch c.Kind {
		case eventAdded:
			fmt.Fprintf(&b, "\n* %s is new.\n", name)
		case versionAdded:
			fmt.Fprintf(&b, "\n* %s has a new version, %d.\n", name, c.Version)
		case payloadChanged:
			fmt.Fprintf(&b, "\n* %s has changed in version %d.\n", name, c.Version)
		case readAs:
			fmt.Fprintf(&b, "\n* %s is read differently in version %d.\n", name, c.Version)
		case versionRemoved:
			fmt.Fprintf(&b, "\n* Version %d of %s was removed.\n", c.Version, name)
		case eventRemoved:
			fmt.Fprintf(&b, "\n* %s was removed.\n", name)
		}
		if c.Doc != "" {
			fmt.Fprintf(&b, "  %s\n", line(c.Doc))
		}
		if c.Since > 0 && len(c.Fields) > 0 {
			fmt.Fprintf(&b, "  Changes from version %d:\n", c.Since)
		}
		for _, f := range c.Fields {
			name := f.Field
			if name == "" {
				name = "payload"
			}
			switch {
			case f.Was == "":
				fmt.Fprintf(&b, "    + %s: %s\n", line(name), line(f.Is))
			case f.Is == "":
				fmt.Fprintf(&b, "    - %s: %s\n", line(name), line(f.Was))
			default:
				fmt.Fprintf(&b, "    ~ %s: %s, before %s\n", line(name), line(f.Is), line(f.Was))
			}
		}
		if c.Notice != "" {
			fmt.Fprintf(&b, "  %s\n", c.Notice)
		}
	}
	return b.String()
}

// line returns a text as a part of one line.
func line(s string) string { return strings.Join(strings.Fields(s), " ") }
