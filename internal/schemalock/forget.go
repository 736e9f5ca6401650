package schemalock

import "fmt"

// forgets compares whom an event says to forget with what it said.
func (c *comparison) forgets(old, e *Event) {
	switch {
	case old.Forget == nil && e.Forget == nil:
	case old.Forget == nil:
		c.find("forget-added", e, "", e.Pos, "", "it says to forget "+whose(e.Forget.Subject)+" now: those that are stored did not when they were handled")
	case e.Forget == nil:
		c.find("forget-removed", e, "", e.Pos, "", "it said to forget "+whose(old.Forget.Subject)+", and no longer does")
	case old.Forget.Subject != e.Forget.Subject:
		c.find("forget-subject", e, "", e.Pos, "", fmt.Sprintf("it says to forget %s now, and said to forget %s", whose(e.Forget.Subject), whose(old.Forget.Subject)))
	}
}

// noLongerForgets adds the finding about a version that forgets nobody, where the version before does.
func (c *comparison) noLongerForgets(old, e *Event) {
	if old.Forget != nil && e.Forget == nil {
		c.find("forget-newer", e, "", e.Pos, "", fmt.Sprintf("it has no mark, and version %d says to forget %s", old.Version, whose(old.Forget.Subject)))
	}
}
