package schemalock

import (
	"fmt"

	"github.com/eventmap/eventmap/internal/model"
)

// newVersions warns of new versions with personal fields of which an older version of the event holds the value in clear, which
// is never sealed, and of new versions that hold in clear what the version before seals, or forget nobody where that one does. Once
// the new version is locked it has been told.
func (c *comparison) newVersions() {
	events := c.now.Events
	for i := range events {
		e := &events[i]
		if !c.isNew(e) {
			continue
		}
		for j := i - 1; j >= 0 && events[j].Aggregate == e.Aggregate && events[j].Name == e.Name; j-- {
			c.inClear(&events[j], e)
			if j == i-1 {
				c.noLongerSealed(&events[j], e)
				c.noLongerForgets(&events[j], e)
			}
		}
	}
}

// inClear adds the findings about what an older version holds in clear of the personal fields of a version. A field that the
// older one lacks may have had another name there: that of a field of the same kind which the later one lacks.
func (c *comparison) inClear(old, e *Event) {
	for i := range e.Payload.Fields {
		f := &e.Payload.Fields[i]
		if f.Personal == nil {
			continue
		}
		was, what := old.Payload.Field(f.Name), "holds it in clear"
		if was == nil {
			was = formerName(f, old.Payload, e.Payload, false)
			if was != nil {
				what = "holds " + was.Name + " in clear, which may be the same"
			}
		}
		if was == nil || was.Personal != nil {
			continue
		}
		c.find("personal-older", e, f.Name, f.Personal.Pos, "",
			fmt.Sprintf("%s is personal, and version %d %s: what is stored as version %d stays so, for ever", f.Name, old.Version, what, old.Version))
	}
}

// noLongerSealed adds the findings about what a version holds in clear and the version before it seals.
func (c *comparison) noLongerSealed(old, e *Event) {
	for i := range e.Payload.Fields {
		f := &e.Payload.Fields[i]
		if f.Personal != nil {
			continue
		}
		was, what := old.Payload.Field(f.Name), "seals it"
		if was == nil && f.Subject == nil {
			was = formerName(f, old.Payload, e.Payload, true)
			if was != nil {
				what = "seals " + was.Name + ", which may be the same"
			}
		}
		if was == nil || was.Personal == nil {
			continue
		}
		c.find("personal-newer", e, f.Name, f.Pos, "",
			fmt.Sprintf("%s has no mark, and version %d %s: what is stored as version %d is in clear, for ever", f.Name, old.Version, what, e.Version))
	}
}

// formerName returns the field, with or without a mark, that a new field may have been in an older payload, or nil.
func formerName(f *model.Field, old, now *model.Shape, personal bool) *model.Field {
	for i := range old.Fields {
		if was := &old.Fields[i]; (was.Personal != nil) == personal && was.Shape.Kind == f.Shape.Kind && now.Field(was.Name) == nil {
			return was
		}
	}
	return nil
}
