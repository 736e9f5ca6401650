package postgres

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/eventmap/eventmap/runtime"
)

// A PayloadType is the type of the payload column of the events table, as `migrate-gen --payload` made it.
type PayloadType string

const (
	// Bytea keeps any payload byte for byte. It is the default.
	Bytea PayloadType = "bytea"
	// JSON keeps a payload byte for byte, if it is JSON. Another one is a [*runtime.InvalidEventError].
	JSON PayloadType = "json"
	// JSONB keeps the value of a payload, if it is JSON that jsonb can hold. Another one is a
	// [*runtime.InvalidEventError]. A read returns the same value, but not always the same bytes: white space, the order
	// of keys and repeated keys are not kept. So what Append returns may differ from what is read, in form only.
	JSONB PayloadType = "jsonb"
)

// check returns an error for a type that is not known.
func (t PayloadType) check() error {
	switch t {
	case "", Bytea, JSON, JSONB:
		return nil
	}
	return fmt.Errorf("payload type %q: is not known; choose one of %s, %s, %s", t, Bytea, JSON, JSONB)
}

// isJSON reports whether the column takes JSON only. An empty payload, which is none, is NULL there.
func (t PayloadType) isJSON() bool { return t == JSON || t == JSONB }

// fault says why the column cannot keep the payload, or nothing if it can.
func (t PayloadType) fault(payload []byte) string {
	switch {
	case !t.isJSON() || len(payload) == 0:
		return ""
	case !utf8.Valid(payload) || !json.Valid(payload):
		return fmt.Sprintf("is not JSON, and the payload column is %s", t)
	case t == JSONB && !fitsJSONB(payload):
		return "has a string that jsonb cannot keep: one with \\u0000, or with half of a surrogate pair"
	case t == JSONB && !fitsNumeric(payload):
		return fmt.Sprintf("has a number that jsonb may not keep: one of more than %d characters, or with an exponent beyond that", maxNumber)
	}
	return ""
}

// fitsJSONB reports whether jsonb takes the strings of valid JSON. It refuses escapes that stand for no text
// ("JSON Types" in PostgreSQL's manual).
func fitsJSONB(text []byte) bool {
	for {
		i := bytes.IndexByte(text, '\\')
		if i < 0 {
			return true
		}
		text = text[i:]
		r := escaped(text)
		switch {
		case r < 0:
			text = text[2:]
		case r == 0:
			return false
		case !utf16.IsSurrogate(r):
			text = text[6:]
		case utf16.DecodeRune(r, escaped(text[6:])) == utf8.RuneError:
			return false
		default:
			text = text[12:]
		}
	}
}

// escaped returns what the escape of the form \u1234 at the beginning of valid JSON stands for, or -1 if there is none.
func escaped(text []byte) rune {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return -1
	}
	var r rune
	if _, err := fmt.Sscanf(string(text[2:6]), "%04x", &r); err != nil {
		return -1
	}
	return r
}

// validatePayloads returns the first payload that the column cannot keep.
func (t PayloadType) validatePayloads(events []runtime.Event) error {
	if !t.isJSON() {
		return nil
	}
	for i := range events {
		if reason := t.fault(events[i].Payload); reason != "" {
			return &runtime.InvalidEventError{Index: i, Field: "Payload", Reason: reason}
		}
	}
	return nil
}
