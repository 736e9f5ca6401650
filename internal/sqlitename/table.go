// Package sqlitename says which names an event store's tables can have on SQLite. They are names that PostgreSQL takes
// too, by the rules of package pgname, so that a store can move from one to the other.
package sqlitename

import (
	"errors"
	"fmt"
	"strings"

	"github.com/eventmap/eventmap/internal/pgname"
)

// ParseTable reads the name of a table: one that pgname.ParseTable takes, without a schema, which SQLite does not have,
// and that does not begin with sqlite_, which is reserved. The error names the rule that was broken.
func ParseTable(s string) (pgname.Table, error) {
	t, err := pgname.ParseTable(s)
	if err != nil {
		return pgname.Table{}, err
	}
	switch {
	case t.Schema != "":
		err = errors.New("names a schema, and SQLite has none; leave it out")
	case len(s) >= len(reserved) && strings.EqualFold(s[:len(reserved)], reserved):
		err = errors.New("begins with sqlite_, which is reserved for the system")
	}
	if err != nil {
		return pgname.Table{}, fmt.Errorf("table name %q: %w", s, err)
	}
	return t, nil
}

const reserved = "sqlite_"

// Same reports whether SQLite takes both names for the same: it does not tell upper from lower case.
func Same(a, b string) bool { return strings.EqualFold(a, b) }
