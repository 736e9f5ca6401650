package pgname_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/eventmap/eventmap/internal/pgname"
)

// These names are stored in databases in use. A test that has to change here is a change that breaks them.
func TestTable_objectNames(t *testing.T) {
	t.Parallel()
	short := pgname.Table{Schema: "shop", Name: "events"}
	long := pgname.Table{Schema: "shop", Name: strings.Repeat("a", 63)}
	accented := pgname.Table{Name: strings.Repeat("é", 31)}
	tests := []struct{ name, got, want string }{
		{"sequence", short.Sequence().String(), "shop.events_global_position_seq"},
		{"primary key", short.PrimaryKey(), "events_pkey"},
		{"stream version", short.StreamVersionKey(), "events_stream_version_key"},
		{"event ID", short.EventIDKey(), "events_event_id_key"},
		{"long sequence", long.Sequence().String(), "shop." + strings.Repeat("a", 34) + "_global_position_seq_b851f4f9"},
		{"long primary key", long.PrimaryKey(), strings.Repeat("a", 49) + "_pkey_ffab448f"},
		{"cut at a character", accented.PrimaryKey(), strings.Repeat("é", 24) + "_pkey_3e70ac2a"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, tt.got, tt.want)
		}
	}
}

func TestTable_Derived_longSuffix(t *testing.T) {
	t.Parallel()
	events := pgname.Table{Name: "events"}
	a := events.Derived(strings.Repeat("field_", 20) + "a_idx").Name
	b := events.Derived(strings.Repeat("field_", 20) + "b_idx").Name
	if a == b || len(a) > pgname.MaxBytes || len(b) > pgname.MaxBytes {
		t.Errorf("got %s and %s, want two different names of at most %d bytes", a, b, pgname.MaxBytes)
	}
	if !strings.HasPrefix(a, "events_field_") {
		t.Errorf("got %s, want it to begin with the table and the suffix", a)
	}
}

// Names that PostgreSQL would cut to the same one must stay different, whatever the alphabet.
func TestTable_Derived_staysDifferent(t *testing.T) {
	t.Parallel()
	suffixes := []string{"pkey", "global_position_seq", "stream_version_key", "event_id_key", "event_type_idx"}
	rapid.Check(t, func(t *rapid.T) {
		common := rapid.StringOfN(rapid.SampledFrom([]rune("aZ_-$é事𝒳")), 0, -1, pgname.MaxBytes-4).Draw(t, "common")
		seen := make(map[string]string)
		for _, end := range []string{"", "a", "b", "é", "𝒳"} {
			table := pgname.Table{Name: "t" + common + end}
			if len(table.Name) > pgname.MaxBytes {
				continue
			}
			for _, suffix := range suffixes {
				got := table.Derived(suffix).Name
				if len(got) > pgname.MaxBytes || !utf8.ValidString(got) {
					t.Fatalf("%s + %s: %q has %d bytes, valid UTF-8: %t", table, suffix, got, len(got), utf8.ValidString(got))
				}
				from := table.Name + " + " + suffix
				if other, ok := seen[got]; ok {
					t.Fatalf("%s is the name of both %s and %s", got, other, from)
				}
				seen[got] = from
			}
		}
	})
}
