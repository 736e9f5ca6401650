package pgname

import (
	"strconv"
	"strings"
)

// SchemaVersion is the version of the schema that this module's generator writes and its store needs. It rises when a
// store could no longer work on tables of the version before; templates/postgres/upgrade then says how tables get there.
const SchemaVersion = 2

const markerText = "eventmap schema "

// Marker returns the words that end the comment on every events table: "eventmap schema 2".
func Marker() string { return MarkerOf(SchemaVersion) }

// MarkerOf returns those words for another version of the schema.
func MarkerOf(version int) string { return markerText + strconv.Itoa(version) }

// ParseMarker returns the schema version that the comment on an events table ends in, and false if there is none: then
// the table was not made by the generator, or its comment was changed.
func ParseMarker(comment string) (version int, ok bool) {
	i := strings.LastIndex(comment, markerText)
	if i < 0 {
		return 0, false
	}
	n, err := strconv.ParseUint(comment[i+len(markerText):], 10, 31)
	if err != nil || n == 0 {
		return 0, false
	}
	return int(n), true
}
