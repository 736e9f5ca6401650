package pgname

import (
	"strconv"
	"strings"
)

// SchemaVersion is the version of the schema that this module's generator writes and its store needs. It rises when a
// store could no longer work on tables of the version before; templates/postgres/upgrade then says how tables get there.
const SchemaVersion = 2

// oldest holds, by version of the schema, the oldest version whose stores can go on working on its tables; where there is
// none, only those of that version can. It lets releases on both sides of the migration run at once.
var oldest = map[int]int{2: 1}

const (
	markerText = "eventmap schema "
	oldestText = ", for runtimes from "
)

// A Version is the version of the schema that tables have.
type Version struct {
	Number int
	Oldest int // version that a store may need at least to work on them
}

// Serves reports whether a store that needs a version of the schema can work on tables of v.
func (v Version) Serves(needed int) bool { return v.Oldest <= needed && needed <= v.Number }

// Marker returns the words that end the comment on every events table: "eventmap schema 2, for runtimes from 1".
func Marker() string { return MarkerOf(SchemaVersion) }

// MarkerOf returns those words for another version of the schema. Without a number at their end, stores of the first
// release take them for a comment of somebody else's, and do not complain.
func MarkerOf(version int) string {
	marker := markerText + strconv.Itoa(version)
	if from, ok := oldest[version]; ok {
		marker += oldestText + strconv.Itoa(from)
	}
	return marker
}

// ParseMarker returns the schema version that the comment on an events table ends in, and false if there is none: then
// the table was not made by the generator, or its comment was changed.
func ParseMarker(comment string) (version Version, ok bool) {
	i := strings.LastIndex(comment, markerText)
	if i < 0 {
		return Version{}, false
	}
	number, from, ranged := strings.Cut(comment[i+len(markerText):], oldestText)
	if !ranged {
		from = number
	}
	n, err := strconv.ParseUint(number, 10, 31)
	if err != nil || n == 0 {
		return Version{}, false
	}
	least, err := strconv.ParseUint(from, 10, 31)
	if err != nil || least == 0 || least > n {
		return Version{}, false
	}
	return Version{Number: int(n), Oldest: int(least)}, true
}
