package design

import (
	"strings"

	"github.com/eventmap/eventmap/internal/pgname"
)

// A Script is what the templates are filled in with.
type Script struct {
	Design
	BlockBegin string // what the tool needs before a statement that has semicolons in it
	BlockEnd   string // and after it
	Former     Tables // the names before a change
	Replaces   bool   // functions are made that may be there already
}

// Marker returns the words by which the runtime knows the version of the schema.
func (s Script) Marker() string { return pgname.MarkerOf(s.Version) }

// Quote returns the mark that begins and ends the text of a block. A name may hold a dollar sign, so it is made longer
// until no name of a table or an event holds it.
func (s Script) Quote() string {
	mark := "$block$"
	known := s.KnownCondition()
	for s.hold(mark) || s.Former.hold(mark) || strings.Contains(s.Partition.PartmanSchema, mark) || strings.Contains(known, mark) {
		mark = "$_" + mark[1:]
	}
	return mark
}

// WithGrants returns the script for these roles only.
func (s Script) WithGrants(roles []string) Script {
	s.Grants = roles
	return s
}

// WithForgetGrants returns the script for these roles only.
func (s Script) WithForgetGrants(roles []string) Script {
	s.ForgetGrants = roles
	return s
}

// WithViews returns the script for these views only.
func (s Script) WithViews(views []View) Script {
	s.Views = views
	return s
}

// WithIndexes returns the script for these indexes only.
func (s Script) WithIndexes(indexes []Index) Script {
	s.Indexes = indexes
	return s
}
