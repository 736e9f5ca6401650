package sqlitename_test

import (
	"strings"
	"testing"

	"github.com/eventmap/eventmap/internal/sqlitename"
)

func TestParseTable_accepts(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"events", "Events-v2", "select", "événements", "_e$1", strings.Repeat("x", 63), "sqlite"} {
		got, err := sqlitename.ParseTable(name)
		if err != nil || got.Name != name {
			t.Errorf("ParseTable(%q) = %v, %v", name, got, err)
		}
	}
}

func TestParseTable_namesTheBrokenRule(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, want string }{
		{"", `table name "": is empty`},
		{"shop.events", `table name "shop.events": names a schema, and SQLite has none; leave it out`},
		{"sqlite_events", `table name "sqlite_events": begins with sqlite_, which is reserved for the system`},
		{"SQLite_events", `table name "SQLite_events": begins with sqlite_, which is reserved for the system`},
		{`a"b`, `table name "a\"b": contains '"'; use letters, digits, '_', '-' and '$'`},
	} {
		if _, err := sqlitename.ParseTable(tt.name); err == nil || err.Error() != tt.want {
			t.Errorf("ParseTable(%q): %v, want %s", tt.name, err, tt.want)
		}
	}
}

func TestSame_ignoresCase(t *testing.T) {
	t.Parallel()
	if !sqlitename.Same("Events", "eVENTS") || sqlitename.Same("events", "event") {
		t.Error("Same tells upper from lower case, or does not tell names apart")
	}
}
