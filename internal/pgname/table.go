// Package pgname says what every PostgreSQL object of an event store is called: which names are accepted for tables,
// how they are quoted, and how the names of sequences, indexes and constraints follow from them. The SQL generator
// creates the objects by these names and the store finds them again by the same ones, so neither can drift from the
// other.
package pgname

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxBytes is the longest name PostgreSQL keeps whole, NAMEDATALEN - 1 in a standard build. It cuts longer ones
// without an error, so they are refused here.
const MaxBytes = 63

// The names of a store's tables where its user chooses none. The tables other than the events table then stand beside
// it, in its schema.
const (
	EventsTable         = "events"
	AggregateHeadsTable = "aggregate_heads"
	SnapshotsTable      = "aggregate_snapshots"
	EventLogsTable      = "event_logs"
	SubjectKeysTable    = "subject_keys"
	CheckpointsTable    = "consumer_checkpoints"
	ParkedEventsTable   = "parked_events"
)

// A Table names a table, or what lives in one namespace with it: an index or a sequence. The parts are literal: their
// case is kept and nothing in them is escaped. A Table made by ParseTable holds valid names; one written out in code is
// its author's responsibility.
type Table struct {
	Schema string // empty: found by the connection's search_path
	Name   string
}

// ParseTable reads "events" or "schema.events". A part is 1 to 63 bytes of UTF-8; it begins with a letter or an
// underscore and goes on with letters, digits, '_', '-' and '$'. Names are taken literally, never folded to lower case,
// and reserved words are fine, because every name is quoted in SQL. Names that are reserved for the system are refused:
// those that begin with pg_, and the schema information_schema. The error names the rule that was broken.
func ParseTable(s string) (Table, error) {
	t, err := parseTable(s)
	if err != nil {
		return Table{}, fmt.Errorf("table name %q: %w", s, err)
	}
	return t, nil
}

// CheckSchema returns nil if s can be the Schema of a Table, else an error that names the rule that was broken.
func CheckSchema(s string) error {
	if err := checkSchema(s); err != nil {
		return fmt.Errorf("schema name %q: %w", s, err)
	}
	return nil
}

// CheckRole returns nil if s can be the name of a role that is granted something, else an error that names the rule that
// was broken. The rules are those of tables; public, which is everybody, and none are no roles.
func CheckRole(s string) error {
	err := checkName(s)
	if s == "public" || s == "none" {
		err = errors.New("is not the name of a role")
	}
	if err != nil {
		return fmt.Errorf("role name %q: %w", s, err)
	}
	return nil
}

func parseTable(s string) (Table, error) {
	schema, name, qualified := strings.Cut(s, ".")
	if !qualified {
		return Table{Name: s}, checkName(s)
	}
	if strings.Contains(name, ".") {
		return Table{}, errors.New("has more than one dot; write table or schema.table")
	}
	if err := checkSchema(schema); err != nil {
		return Table{}, fmt.Errorf("schema %w", err)
	}
	if err := checkName(name); err != nil {
		return Table{}, fmt.Errorf("table %w", err)
	}
	return Table{Schema: schema, Name: name}, nil
}

func checkSchema(s string) error {
	if err := checkName(s); err != nil {
		return err
	}
	if s == "information_schema" {
		return errors.New("is reserved for the system")
	}
	return nil
}

func checkName(s string) error {
	switch {
	case s == "":
		return errors.New("is empty")
	case !utf8.ValidString(s):
		return errors.New("is not valid UTF-8")
	case len(s) > MaxBytes:
		return fmt.Errorf("has %d bytes; PostgreSQL keeps %d", len(s), MaxBytes)
	case strings.HasPrefix(s, "pg_"):
		// In exactly this case. A schema of such a name cannot be created, and a table of such a name that names no
		// schema would be looked for in pg_catalog first.
		return errors.New("begins with pg_, which is reserved for the system")
	}
	for i, r := range s {
		switch {
		case r == '_' || unicode.IsLetter(r):
		case i == 0:
			return fmt.Errorf("begins with %q; begin with a letter or an underscore", r)
		case r == '-' || r == '$' || unicode.IsDigit(r):
		default:
			return fmt.Errorf("contains %q; use letters, digits, '_', '-' and '$'", r)
		}
	}
	return nil
}

// String returns the name for messages: schema.name or name, unquoted.
func (t Table) String() string {
	if t.Schema == "" {
		return t.Name
	}
	return t.Schema + "." + t.Name
}

// Quoted returns the name for SQL: "schema"."name" or "name".
func (t Table) Quoted() string {
	if t.Schema == "" {
		return Quote(t.Name)
	}
	return Quote(t.Schema) + "." + Quote(t.Name)
}

// Quote returns a single name for SQL, in double quotes. It is safe for any string without NUL.
func Quote(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// In returns the table in the given schema, unless the table names a schema itself: the more exact name wins.
func (t Table) In(schema string) Table {
	if t.Schema == "" {
		t.Schema = schema
	}
	return t
}

// Sibling returns another name in the table's schema.
func (t Table) Sibling(name string) Table {
	return Table{Schema: t.Schema, Name: name}
}
