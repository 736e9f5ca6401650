package adopt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// An entry is a line of a dump.
type entry struct {
	aggregate, name string
	version         *int
	payload         json.RawMessage
}

// readEntry reads a line, or says why it cannot be read.
func readEntry(text []byte) (e entry, why string) {
	var syntax *json.SyntaxError
	var members map[string]json.RawMessage
	switch err := json.Unmarshal(text, &members); {
	case errors.As(err, &syntax):
		return e, fmt.Sprintf("is no JSON: %v, after byte %d", err, syntax.Offset)
	case err != nil || members == nil:
		return e, fmt.Sprintf("is %s, and no object with the members type, payload and, if the log has them, version and aggregate", kindOf(text))
	}
	for _, member := range []string{"type", "payload"} {
		if members[member] == nil {
			return e, fmt.Sprintf("has no member %q", member)
		}
	}
	for member, to := range map[string]*string{"type": &e.name, "aggregate": &e.aggregate} {
		if value := members[member]; value != nil && !isNull(value) && json.Unmarshal(value, to) != nil {
			return e, fmt.Sprintf("has %s for %q, which has to be text", kindOf(value), member)
		}
	}
	if isNull(members["type"]) {
		return e, `has null for "type", which has to be text`
	}
	if value := members["version"]; value != nil && !isNull(value) {
		n, err := strconv.Atoi(strings.Trim(string(bytes.TrimSpace(value)), `"`)) // a column of text has "2"
		if err != nil || n < 1 {
			return e, fmt.Sprintf("has %s for \"version\", which has to be a whole number from 1", kindOf(value))
		}
		e.version = &n
	}
	again := comparison{faults: map[string]bool{}}
	again.repeated(text)
	for _, member := range []string{"type", "aggregate", "version", "payload"} {
		if again.faults[member+repeatedFault] {
			return e, fmt.Sprintf("has the member %q more than once", member)
		}
	}
	e.payload = members["payload"]
	return e, ""
}

func isNull(value json.RawMessage) bool { return string(bytes.TrimSpace(value)) == "null" }

// kindOf says what a JSON value is.
func kindOf(value []byte) string {
	switch value = bytes.TrimSpace(value); value[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "text"
	case 't', 'f':
		return "a bool"
	case 'n':
		return "null"
	}
	return "the number " + string(value)
}
