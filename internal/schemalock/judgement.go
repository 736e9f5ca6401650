package schemalock

import (
	"fmt"
	"slices"

	"github.com/eventmap/eventmap/internal/model"
)

// A Judgement is what the comparison of a domain with what is locked gave.
type Judgement struct {
	Findings Findings
	Unused   []string // accepted names of which there was nothing to accept
	Accepted []*Event // those of now whose breaking changes were taken
	Unmoved  []Move   // moves of which the lock has no type
	Changes  []Change // of the set of events, since the lock was written
	First    bool     // there is no lock yet
	Content  []byte   // of the lock, as it is to be written if no finding is breaking
}

// Judge compares a domain with what is locked. accepted names the events and aggregates whose breaking changes are taken;
// see [Compare]. It tells the domain which personal fields are in clear in events that may be stored. generated reports whether
// there is code that was generated before; it is asked only where the lock is missing, which is a finding then.
func Judge(d *model.Domain, b Baseline, accepted []string, generated func() bool) (*Judgement, error) {
	now := Of(d)
	j := Judgement{Content: Encode(now)}
	here, err := b.readHere(now, j.Content)
	if err != nil {
		return nil, err
	}
	j.Changes = changes(here, now)
	locked, unmoved, err := b.choose(here, now)
	if err != nil {
		return nil, err
	}
	j.First = here == nil && locked == nil
	if locked != nil && rememberClear(locked, now) {
		j.Content = Encode(now)
	}
	if locked == nil {
		locked = &Lock{}
		if generated() {
			j.Findings = Findings{Missing(b.Path)}
		}
	}
	compared, unused := Compare(locked, now, accepted)
	j.Accepted = changedAnyway(locked, now, accepted)
	j.Findings, j.Unused, j.Unmoved = append(j.Findings, compared...), unused, unmoved
	return &j, nil
}

// RememberClear notes in the domain which personal fields are in clear in events that may be stored, as the lock at path says, if
// there is one. Judge does so itself.
func RememberClear(d *model.Domain, path string) error {
	now := Of(d)
	locked, _, err := Baseline{Path: path}.Read(now, Encode(now))
	if err == nil && locked != nil {
		rememberClear(locked, now)
	}
	return err
}

// rememberClear notes in the domain's events which personal fields are stored in clear too, because they had no mark once, and
// reports whether there are any.
func rememberClear(locked, now *Lock) (found bool) {
	before := locked.byKey()
	for i := range now.Events {
		e := &now.Events[i]
		old := before[e.key()]
		if old == nil {
			continue
		}
		for j := range e.Payload.Fields {
			f := &e.Payload.Fields[j]
			if f.Personal == nil {
				continue
			}
			if was := old.Payload.Field(f.Name); was != nil && (was.Personal == nil || was.Personal.HasClear) {
				f.Personal.HasClear, found = true, true
			}
		}
	}
	return found
}

// A Change is an event that was added to the set of events, or is gone.
type Change struct {
	Event Event // as it is now, or as it was locked
	Gone  bool
}

// String returns "+ Order.Placed.v1 order/order.go:7", or "- " and the same for one that is gone, with its Go type.
func (c Change) String() string {
	if c.Gone {
		return fmt.Sprintf("- %v %s", &c.Event, c.Event.Type)
	}
	return fmt.Sprintf("+ %v %s:%d", &c.Event, c.Event.Pos.File, c.Event.Pos.Line)
}

// changes returns what has changed in the set of events, in the order of their names. Without a lock, everything is new.
func changes(locked, now *Lock) []Change {
	if locked == nil {
		locked = &Lock{}
	}
	before, after := locked.byKey(), now.byKey()
	var changes []Change
	for _, e := range now.Events {
		if before[e.key()] == nil {
			changes = append(changes, Change{Event: e})
		}
	}
	for _, e := range locked.Events {
		if after[e.key()] == nil {
			changes = append(changes, Change{Event: e, Gone: true})
		}
	}
	slices.SortStableFunc(changes, func(a, b Change) int { return compareEvents(a.Event, b.Event) })
	return changes
}

// changedAnyway returns the events whose changes would be breaking, were they not accepted.
func changedAnyway(locked, now *Lock, accepted []string) (events []*Event) {
	if len(accepted) == 0 {
		return nil
	}
	strict, _ := Compare(locked, now, nil)
	lenient, _ := Compare(locked, now, accepted)
	breaking := map[string]bool{}
	for _, f := range strict.Breaking() {
		breaking[f.Event] = true
	}
	for _, f := range lenient.Breaking() {
		delete(breaking, f.Event)
	}
	for i := range now.Events {
		if e := &now.Events[i]; breaking[e.String()] {
			events = append(events, e)
		}
	}
	return events
}
