package pgname_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/eventmap/eventmap/internal/pgname"
)

func TestParseMarker(t *testing.T) {
	t.Parallel()
	var none pgname.Version
	tests := []struct {
		comment string
		version pgname.Version
		ok      bool
	}{
		{"The event log. " + pgname.Marker(), pgname.Version{Number: pgname.SchemaVersion, Oldest: 1}, true},
		{"eventmap schema 12", pgname.Version{Number: 12, Oldest: 12}, true},
		{"eventmap schema 12, for runtimes from 9", pgname.Version{Number: 12, Oldest: 9}, true},
		{"was eventmap schema 1, now eventmap schema 2", pgname.Version{Number: 2, Oldest: 2}, true},
		{"", none, false},
		{"The event log.", none, false},
		{"eventmap schema ", none, false},
		{"eventmap schema 0", none, false},
		{"eventmap schema -1", none, false},
		{"eventmap schema 1 (edited)", none, false},
		{"eventmap schema 2, for runtimes from 3", none, false},
		{"eventmap schema 2, for runtimes from 0", none, false},
		{"eventmap schema 2, for runtimes from ", none, false},
		{"eventmap schema 99999999999999999999", none, false},
	}
	for _, tt := range tests {
		version, ok := pgname.ParseMarker(tt.comment)
		if version != tt.version || ok != tt.ok {
			t.Errorf("ParseMarker(%q) = %v, %t, want %v, %t", tt.comment, version, ok, tt.version, tt.ok)
		}
	}
}

func TestVersion_Serves(t *testing.T) {
	t.Parallel()
	v := pgname.Version{Number: 5, Oldest: 3}
	for needed, want := range map[int]bool{1: false, 2: false, 3: true, 4: true, 5: true, 6: false} {
		if v.Serves(needed) != want {
			t.Errorf("%v serves %d: %t, want %t", v, needed, !want, want)
		}
	}
}

// Stores of the first release know the version by the number that ends the comment, and refuse every other than 1. They can
// work on version 2, so its comment ends otherwise.
func TestMarkerOf_isNothingToTheFirstRelease(t *testing.T) {
	t.Parallel()
	number := strings.TrimPrefix(pgname.MarkerOf(2), "eventmap schema ")
	if _, err := strconv.ParseUint(number, 10, 31); err == nil {
		t.Errorf("the first release finds version %s", number)
	}
}
