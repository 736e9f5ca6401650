package pgname_test

import (
	"testing"

	"github.com/eventmap/eventmap/internal/pgname"
)

func TestParseMarker(t *testing.T) {
	t.Parallel()
	tests := []struct {
		comment string
		version int
		ok      bool
	}{
		{"The event log. " + pgname.Marker(), pgname.SchemaVersion, true},
		{"eventmap schema 12", 12, true},
		{"was eventmap schema 1, now eventmap schema 2", 2, true},
		{"", 0, false},
		{"The event log.", 0, false},
		{"eventmap schema ", 0, false},
		{"eventmap schema 0", 0, false},
		{"eventmap schema -1", 0, false},
		{"eventmap schema 1 (edited)", 0, false},
		{"eventmap schema 99999999999999999999", 0, false},
	}
	for _, tt := range tests {
		version, ok := pgname.ParseMarker(tt.comment)
		if version != tt.version || ok != tt.ok {
			t.Errorf("ParseMarker(%q) = %d, %t, want %d, %t", tt.comment, version, ok, tt.version, tt.ok)
		}
	}
}
