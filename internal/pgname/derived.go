package pgname

import (
	"crypto/sha256"
	"fmt"
	"unicode/utf8"
)

// maxSuffix is how much of a suffix survives when a derived name is shortened: enough to say what the object is.
const maxSuffix = 32

// Derived returns the name of an object that belongs to the table and lives in its schema: name_suffix. Where that is
// longer than MaxBytes, both parts are cut at the end of a character and eight hexadecimal digits of a hash of the
// whole are added, so that names that PostgreSQL would cut to the same one stay different. The same table and suffix
// always give the same name, in every release: stores in use depend on it.
func (t Table) Derived(suffix string) Table {
	whole := t.Name + "_" + suffix
	if len(whole) <= MaxBytes {
		return t.Sibling(whole)
	}
	sum := sha256.Sum256([]byte(whole))
	tail := fmt.Sprintf("_%s_%x", cut(suffix, maxSuffix), sum[:4])
	return t.Sibling(cut(t.Name, MaxBytes-len(tail)) + tail)
}

// cut returns the longest prefix of s that has at most n bytes and ends at the end of a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// The objects of a store that both sides must find. The names are those PostgreSQL itself would choose, except where
// its choice would list three columns. Constraints have no schema of their own, so theirs are plain names, as
// PostgreSQL reports them in an error.

// Sequence returns the sequence that an events table draws its global positions from.
func (t Table) Sequence() Table { return t.Derived("global_position_seq") }

// PrimaryKey returns the name of the table's primary key constraint.
func (t Table) PrimaryKey() string { return t.Derived("pkey").Name }

// StreamVersionKey returns the name of an events table's unique constraint on aggregate type, aggregate ID and
// aggregate version: a violation of it is a lost race for a stream.
func (t Table) StreamVersionKey() string { return t.Derived("stream_version_key").Name }

// EventIDKey returns the name of an events table's unique constraint on the event ID: a violation of it is an event
// that is already stored.
func (t Table) EventIDKey() string { return t.Derived("event_id_key").Name }

// AppendFunction returns the function by which, on Citus, the node of a log appends to it.
func (t Table) AppendFunction() Table { return t.Derived("append") }

// DroppedCheck returns the name of a logs table's check that nothing is appended to a log that was dropped.
func (t Table) DroppedCheck() string { return t.Derived("dropped_check").Name }

// SubjectGenerationKey returns the name of a key table's unique constraint on subject and generation: what it keeps out is a
// second first key for one subject.
func (t Table) SubjectGenerationKey() string { return t.Derived("subject_generation_key").Name }

// KnownCheck returns the name of an events table's check that only known events enter, where it has one. A violation of it
// is an event that no migration has let in.
func (t Table) KnownCheck() string { return t.Derived("known_check").Name }
