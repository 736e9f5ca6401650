package runtime_test

import (
	"testing"

	"github.com/eventmap/eventmap/runtime"
)

func TestStream_versionIsThatOfTheHead(t *testing.T) {
	t.Parallel()
	at := func(versions ...int64) (events []runtime.PersistedEvent) {
		for _, v := range versions {
			events = append(events, runtime.PersistedEvent{AggregateVersion: v})
		}
		return events
	}
	for _, row := range []struct {
		name   string
		stream runtime.Stream
		want   int64
		length int
	}{
		{"absent", runtime.NewStream("Order", "1", 0, nil), 0, 0},
		{"whole", runtime.NewStream("Order", "1", 2, at(1, 2)), 2, 2},
		{"window before the head", runtime.NewStream("Order", "1", 9, at(4, 5)), 9, 2},
		{"empty window", runtime.NewStream("Order", "1", 9, nil), 9, 0},
		{"head read before an append", runtime.NewStream("Order", "1", 9, at(8, 9, 10)), 10, 3},
		{"literal", runtime.Stream{Events: at(1, 2, 3)}, 3, 3},
	} {
		if got := row.stream.Version(); got != row.want {
			t.Errorf("%s: version is %d, want %d", row.name, got, row.want)
		}
		if row.stream.Len() != row.length || row.stream.IsEmpty() != (row.length == 0) {
			t.Errorf("%s: length is %d and IsEmpty %v, want %d", row.name, row.stream.Len(), row.stream.IsEmpty(), row.length)
		}
	}
}

func TestAppendResult_versions(t *testing.T) {
	t.Parallel()
	if r := (runtime.AppendResult{}); r.FromVersion() != 0 || r.ToVersion() != 0 {
		t.Errorf("empty result is from %d to %d, want 0 to 0", r.FromVersion(), r.ToVersion())
	}
	r := runtime.AppendResult{Events: []runtime.PersistedEvent{{AggregateVersion: 4}, {AggregateVersion: 5}}}
	if r.FromVersion() != 3 || r.ToVersion() != 5 {
		t.Errorf("result is from %d to %d, want 3 to 5", r.FromVersion(), r.ToVersion())
	}
}
