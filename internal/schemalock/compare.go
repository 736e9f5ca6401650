package schemalock

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/eventmap/eventmap/internal/model"
)

// Compare judges what is now by what was locked, and returns everything that is not simply taken, by position. Changes of
// what accepted names are taken: Order.Placed.v1, or Order.Placed or Order for all within. It also returns those names of
// which there was nothing to take.
func Compare(locked, now *Lock, accepted []string) (findings Findings, unused []string) {
	c := comparison{locked: locked, now: now, accepted: accepted, used: map[string]bool{}, before: locked.byKey(), after: now.byKey(), renamed: map[[2]string]bool{}}
	for i := range locked.Events {
		old := &locked.Events[i]
		switch e := c.after[old.key()]; e {
		case old: // nothing has changed since the lock was written
		case nil:
			c.missing(old)
		default:
			c.event(old, e)
		}
	}
	c.chains()
	c.newVersions()
	c.streams()
	c.folds()
	unused = slices.DeleteFunc(slices.Clone(accepted), func(name string) bool { return c.used[name] })
	return c.findings.sorted(), unused
}

// A comparison is one run of [Compare].
type comparison struct {
	locked, now *Lock
	before      map[key]*Event // the events of locked
	after       map[key]*Event // those of now
	accepted    []string
	used        map[string]bool // of accepted
	findings    Findings
	renamed     map[[2]string]bool // aggregates of which is said already that they are renamed, and to what
}

// find adds a finding. The message is about the event, or about its field where that is given; old is what OLD stands for
// in the remedy.
func (c *comparison) find(name string, e *Event, field string, pos model.Position, old, message string) {
	r := rule(name)
	if r.Verdict == Breaking && c.isAccepted(e) {
		return
	}
	remedy := strings.NewReplacer(
		"OLD", old, "EVENT", e.String(), "VERSION", strconv.Itoa(e.Version), "NEXT", strconv.Itoa(c.next(e)),
	).Replace(r.Remedy)
	f := Finding{Rule: r, Event: e.String(), Field: field, Pos: pos, Message: message, Remedy: remedy}
	if r.Verdict == Breaking && !strings.Contains(remedy, accept) {
		f.Remedy += "; or, if none was ever stored, " + accept + " " + e.String()
	}
	c.findings = append(c.findings, f)
}

// next returns the first version of the event after all that are there or were.
func (c *comparison) next(e *Event) int {
	next := e.Version
	for _, lock := range []*Lock{c.locked, c.now} {
		for _, other := range lock.Events {
			if other.Aggregate == e.Aggregate && other.Name == e.Name {
				next = max(next, other.Version)
			}
		}
	}
	return next + 1
}

// isAccepted reports whether a change of the event is taken whatever it is.
func (c *comparison) isAccepted(e *Event) bool {
	accepted := false
	for _, name := range c.accepted {
		if name == e.Aggregate || name == e.Aggregate+"."+e.Name || name == e.String() {
			accepted, c.used[name] = true, true
		}
	}
	return accepted
}

// event compares a version that is there with what it was.
func (c *comparison) event(old, e *Event) {
	p := payload{comparison: c, old: old, now: e, seen: map[[2]*model.Shape]bool{}}
	p.shape(old.Payload, e.Payload, "", e.Pos)
	if e.Type != old.Type {
		if was := c.typeBefore(e); was != nil && sameShape(was.Payload, old.Payload) {
			c.find("types-exchanged", e, "", e.Pos, "", fmt.Sprintf("it is read as %s now, which was the type of %v; before it was %s", shortType(e.Type), was, shortType(old.Type)))
		}
	}
	if old.Upcast != 0 && e.Upcast == 0 && c.isOld(e) {
		c.find("upcaster-removed", e, "", e.Pos, "", fmt.Sprintf("it was turned into version %d when it was read, and no longer is: readers get version %d", old.Upcast, e.Version))
	}
	c.forgets(old, e)
}

// missing says what became of a version that is no longer there.
func (c *comparison) missing(old *Event) {
	if e := c.sameType(old); e != nil {
		switch {
		case e.Aggregate != old.Aggregate:
			c.aggregateRenamed(old, e)
		case e.Name != old.Name:
			c.find("event-renamed", old, "", e.Pos, old.Name, fmt.Sprintf("%s is stored as %q now: events that are stored as %q could no longer be read", shortType(e.Type), e.Name, old.Name))
		default:
			c.find("version-changed", old, "", e.Pos, "", fmt.Sprintf("%s is version %d now: stored events of version %d could no longer be read", shortType(e.Type), e.Version, old.Version))
		}
		return
	}
	if e := c.stillShared(old); e != nil {
		c.find("event-unshared", old, "", e.Pos, old.Aggregate, fmt.Sprintf("%s is an event of %q still, and of %q no longer: in the streams of %q it could not be read",
			shortType(old.Type), e.Aggregate, old.Aggregate, old.Aggregate))
		return
	}
	if e := c.sameShape(old); e != nil {
		if e.Aggregate != old.Aggregate {
			c.aggregateRenamed(old, e)
			return
		}
		c.find("type-renamed", old, "", e.Pos, old.Name, fmt.Sprintf("%s is gone, and %s with the same payload is new: events that are stored as %q could no longer be read",
			shortType(old.Type), shortType(e.Type), old.Name))
		return
	}
	name := "event-removed"
	if slices.ContainsFunc(c.now.Events, func(e Event) bool { return e.Aggregate == old.Aggregate && e.Name == old.Name }) {
		name = "version-removed"
	}
	c.find(name, old, "", old.Pos, "", fmt.Sprintf("%s is gone: stored events of it could no longer be read", shortType(old.Type)))
}

// aggregateRenamed adds the finding for an event that now is one of another aggregate: once, if all of them are.
func (c *comparison) aggregateRenamed(old, e *Event) {
	if slices.ContainsFunc(c.now.Events, func(e Event) bool { return e.Aggregate == old.Aggregate }) {
		c.find("aggregate-renamed", old, "", e.Pos, old.Aggregate, fmt.Sprintf("it is an event of %q now: in the streams of %q it could no longer be read", e.Aggregate, old.Aggregate))
		return
	}
	if pair := [2]string{old.Aggregate, e.Aggregate}; !c.isAccepted(old) && !c.renamed[pair] {
		c.renamed[pair] = true
		c.find("aggregate-renamed", &Event{Aggregate: old.Aggregate}, "", c.first(e.Aggregate), old.Aggregate,
			fmt.Sprintf("the aggregate is stored as %q now: its streams would no longer be found", e.Aggregate))
	}
}

// first returns the position of the first event of an aggregate in the source.
func (c *comparison) first(aggregate string) model.Position {
	var first model.Position
	for i := range c.now.Events {
		if e := &c.now.Events[i]; e.Aggregate == aggregate && (!first.IsValid() || e.Pos.Compare(first) < 0) {
			first = e.Pos
		}
	}
	return first
}

// sameType returns the event that the missing one's type is now, or nil.
func (c *comparison) sameType(old *Event) *Event {
	for i := range c.now.Events {
		if e := &c.now.Events[i]; e.Type == old.Type && c.isNew(e) {
			return e
		}
	}
	return nil
}

// stillShared returns the event that the missing one's type was and is in another aggregate, or nil.
func (c *comparison) stillShared(old *Event) *Event {
	for i := range c.now.Events {
		e := &c.now.Events[i]
		if was := c.before[e.key()]; e.Type == old.Type && was != nil && was.Type == old.Type && e.Name == old.Name && e.Version == old.Version {
			return e
		}
	}
	return nil
}

// typeBefore returns the locked event that an event's type was and is no longer, or nil.
func (c *comparison) typeBefore(e *Event) *Event {
	for i := range c.locked.Events {
		was := &c.locked.Events[i]
		if was.Type != e.Type {
			continue
		}
		if now := c.after[was.key()]; now == nil || now.Type != was.Type {
			return was
		}
	}
	return nil
}

// sameShape returns the new event that looks like the missing one, first within its aggregate and then under its name
// elsewhere, or nil. An event without fields looks like nothing in particular: it takes the same name.
func (c *comparison) sameShape(old *Event) *Event {
	for _, within := range []bool{true, false} {
		for i := range c.now.Events {
			e := &c.now.Events[i]
			plain := len(e.Payload.Fields) == 0
			if !c.isNew(e) || e.Version != old.Version || (e.Aggregate == old.Aggregate) != within || (!within || plain) && e.Name != old.Name {
				continue
			}
			if sameShape(old.Payload, e.Payload) {
				return e
			}
		}
	}
	return nil
}

// sameShape reports whether two payloads are locked alike.
func sameShape(a, b *model.Shape) bool {
	encode := func(s *model.Shape) string {
		var w writer
		w.shape(s, "")
		return w.String()
	}
	return encode(a) == encode(b)
}

// isNew reports whether an event is not locked.
func (c *comparison) isNew(e *Event) bool {
	return c.before[e.key()] == nil
}

// isOld reports whether there is a later version of the event: the next in order.
func (c *comparison) isOld(e *Event) bool {
	i, _ := slices.BinarySearchFunc(c.now.Events, *e, compareEvents)
	i++
	return i < len(c.now.Events) && c.now.Events[i].Aggregate == e.Aggregate && c.now.Events[i].Name == e.Name
}

// streams compares what the streams of the aggregates that there were are called.
func (c *comparison) streams() {
	known := map[string]string{}
	for _, e := range c.locked.Events {
		known[e.Aggregate] = ""
	}
	for _, s := range c.locked.Streams {
		known[s.Aggregate] = s.ID
	}
	for _, s := range c.now.Streams {
		was, there := known[s.Aggregate]
		switch {
		case !there, was == s.ID:
		case was == "":
			c.find("stream-id-typed", &Event{Aggregate: s.Aggregate}, "", s.Pos, "", fmt.Sprintf("its streams are called by what %s.String returns now, and by a plain string before", s.ID))
		default:
			c.find("stream-id-changed", &Event{Aggregate: s.Aggregate}, "", s.Pos, "", fmt.Sprintf("its streams are called by what %s.String returns now, and by what %s.String returned before%s", s.ID, was, askMoved(was, s.ID)))
		}
	}
}

// folds tells of aggregates whose snapshots were made by other code.
func (c *comparison) folds() {
	for _, f := range c.now.Folds {
		if slices.ContainsFunc(c.locked.Folds, func(was Fold) bool { return was.Aggregate == f.Aggregate && was.Fingerprint != f.Fingerprint }) {
			c.find("fold-changed", &Event{Aggregate: f.Aggregate}, "", f.Pos, "", "other code than before turns its events into its state")
		}
	}
}

// chains warns of versions that are missing between others, and of old ones without a way to a later one.
func (c *comparison) chains() {
	events := c.now.Events
	for i := range events {
		e := &events[i]
		if old := c.before[e.key()]; e.Upcast == 0 && c.isOld(e) && (old == nil || old.Upcast == 0) {
			c.find("no-upcaster", e, "", e.Pos, "", fmt.Sprintf("no upcaster turns it into version %d: readers get it as it is, and handle it by a method of its own", events[i+1].Version))
		}
		if i == 0 || events[i-1].Aggregate != e.Aggregate || events[i-1].Name != e.Name {
			continue
		}
		if from, to := events[i-1].Version+1, e.Version-1; from <= to {
			gap := fmt.Sprintf("there is no version %d", from)
			if from < to {
				gap = fmt.Sprintf("there are no versions %d to %d", from, to)
			}
			c.find("version-gap", e, "", e.Pos, "", gap+": a stored event of it could not be read")
		}
	}
}

// shortType returns a Go type as code names it: order.Placed.
func shortType(id string) string {
	name, args, generic := strings.Cut(id, "[")
	name = name[strings.LastIndexByte(name, '/')+1:]
	if generic {
		name += "[" + args
	}
	return name
}
