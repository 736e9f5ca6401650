package sqlite_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/sqlite"
)

// Each field of a Config has an option, which sets it and nothing else.
func TestConfig_hasAnOptionForEachField(t *testing.T) {
	t.Parallel()
	options := map[string]sqlite.Option{
		"EventsTable":       sqlite.WithEventsTable("e"),
		"SnapshotsTable":    sqlite.WithSnapshotsTable("s"),
		"SubjectKeysTable":  sqlite.WithSubjectKeysTable("k"),
		"CheckpointsTable":  sqlite.WithCheckpointsTable("c"),
		"ParkedEventsTable": sqlite.WithParkedEventsTable("p"),
		"Logger":            sqlite.WithLogger(runtime.NoOpLogger{}),
		"Clock":             sqlite.WithClock(time.Now),
	}
	for field := range reflect.TypeFor[sqlite.Config]().Fields() {
		o, ok := options[field.Name]
		if !ok {
			t.Errorf("%s has no option", field.Name)
			continue
		}
		c := reflect.ValueOf(sqlite.Configured(o))
		for f, v := range c.Fields() {
			if set := !v.IsZero(); set != (f.Name == field.Name) {
				t.Errorf("the option of %s: %s is set: %t", field.Name, f.Name, set)
			}
		}
	}
}
