package runtime

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
)

// ValidateAppend checks what every store must refuse before it sends anything. It returns [ErrNoEvents] for an empty
// slice, else a [*InvalidEventError] for the first fault, else [ErrDuplicateEvent] for an event ID that is given twice,
// else nil.
func ValidateAppend(expected ExpectedVersion, events []Event) error {
	if len(events) == 0 {
		return ErrNoEvents
	}
	if expected.Value() < 0 {
		return negativeVersion(expected)
	}
	for i := range events {
		if field, reason := fault(&events[i], &events[0]); field != "" {
			return &InvalidEventError{Index: i, Field: field, Reason: reason}
		}
	}
	if first, again, found := sameID(events); found {
		return fmt.Errorf("event %d: EventID is that of event %d: %w", again, first, ErrDuplicateEvent)
	}
	return nil
}

// ValidateGuard checks what every store must refuse of a guard before it sends anything; see [Guard]. It returns an
// [*InvalidEventError] or nil.
func ValidateGuard(guard StreamAppend) error {
	for _, f := range []struct{ name, value string }{
		{"AggregateType", guard.AggregateType}, {"AggregateID", guard.AggregateID},
	} {
		reason := textFault(f.value)
		if f.value == "" {
			reason = "is empty"
		}
		if reason != "" {
			return &InvalidEventError{Index: -1, Field: f.name, Reason: reason + "; a guard names its stream"}
		}
	}
	switch expected := guard.Expected; {
	case expected.IsAny():
		return &InvalidEventError{Index: -1, Field: "ExpectedVersion", Reason: "is Any; a guard has to expect a version, NoStream or StreamExists"}
	case expected.Value() < 0:
		return negativeVersion(expected)
	}
	return nil
}

func negativeVersion(expected ExpectedVersion) error {
	return &InvalidEventError{Index: -1, Field: "ExpectedVersion", Reason: fmt.Sprintf("is %d; a version is never negative", expected.Value())}
}

// fewEvents is up to how many it is cheaper to compare each with each than to make a map.
const fewEvents = 8

// sameID returns two events that have one ID.
func sameID(events []Event) (first, again int, found bool) {
	if len(events) <= fewEvents {
		for i := range events {
			for j := range i {
				if events[i].EventID == events[j].EventID {
					return j, i, true
				}
			}
		}
		return 0, 0, false
	}
	seen := make(map[uuid.UUID]int, len(events))
	for i := range events {
		if j, twice := seen[events[i].EventID]; twice {
			return j, i, true
		}
		seen[events[i].EventID] = i
	}
	return 0, 0, false
}

// fault returns the first field of e that no store can keep, and why; first is the event that opens the append.
func fault(e, first *Event) (field, reason string) {
	switch {
	case e.AggregateType != first.AggregateType:
		return "AggregateType", fmt.Sprintf("is %q, but the append is to %q; one append is to one stream", e.AggregateType, first.AggregateType)
	case e.AggregateID != first.AggregateID:
		return "AggregateID", fmt.Sprintf("is %q, but the append is to %q; one append is to one stream", e.AggregateID, first.AggregateID)
	case e.EventVersion < 1:
		return "EventVersion", fmt.Sprintf("is %d; versions begin at 1", e.EventVersion)
	case e.EventVersion > maxEventVersion:
		return "EventVersion", fmt.Sprintf("is %d; the highest is %d", e.EventVersion, maxEventVersion)
	case e.EventID == uuid.Nil:
		return "EventID", "is nil"
	case !e.CreatedAt.IsZero() && (e.CreatedAt.UTC().Year() < 1 || e.CreatedAt.UTC().Year() > 9999):
		return "CreatedAt", fmt.Sprintf("is in the year %d; years 1 to 9999 can be kept", e.CreatedAt.UTC().Year())
	case e.Metadata != nil && !(utf8.Valid(e.Metadata) && json.Valid(e.Metadata)):
		return "Metadata", "is not JSON"
	}
	for _, f := range []struct{ name, value string }{
		{"AggregateType", e.AggregateType}, {"AggregateID", e.AggregateID}, {"EventType", e.EventType},
	} {
		if f.value == "" {
			return f.name, "is empty"
		}
		if reason := textFault(f.value); reason != "" {
			return f.name, reason
		}
	}
	for _, f := range []struct {
		name  string
		value NullString
	}{
		{"CausationID", e.CausationID}, {"CorrelationID", e.CorrelationID}, {"TraceID", e.TraceID},
	} {
		if !f.value.Valid {
			continue
		}
		if reason := textFault(f.value.String); reason != "" {
			return f.name, reason
		}
	}
	return "", ""
}

// maxEventVersion is the highest value of PostgreSQL's integer.
const maxEventVersion = 1<<31 - 1

// ValidName reports whether name can be an aggregate type, an aggregate ID or an event type: it is not empty and holds no
// NUL and no invalid UTF-8. A stream with another name is empty, and a store need not ask its database for it.
func ValidName(name string) bool { return name != "" && textFault(name) == "" }

// textFault says why PostgreSQL's text type cannot keep s, or nothing if it can.
func textFault(s string) string {
	switch {
	case !utf8.ValidString(s):
		return "is not valid UTF-8"
	case strings.ContainsRune(s, 0):
		return "holds a NUL"
	}
	return ""
}
