package otel_test

import (
	"database/sql"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/mapping"
)

// counts returns what a counter has counted, by the values of its labels.
func (l *lab) counts(name string) map[string]int64 {
	l.t.Helper()
	found := make(map[string]int64)
	sum, _ := l.metrics()[name].(metricdata.Sum[int64])
	for _, p := range sum.DataPoints {
		var labels []string
		for _, a := range p.Attributes.ToSlice() {
			labels = append(labels, a.Value.String())
		}
		found[strings.Join(labels, " ")] = p.Value
	}
	return found
}

// Aggregates with snapshots have them with telemetry too, and it tells how often they were there.
func TestSnapshots_hitsAndMisses(t *testing.T) {
	t.Parallel()
	l := newLab(t, sdktrace.AlwaysSample())
	fold := func(n *int, events []runtime.PersistedEvent) error { *n += len(events); return nil }
	s := mapping.NewSnapshots(l.store, mapping.NewSettings(runtime.SnapshotEvery(2)), "Order", "code", fold)
	if _, err := l.append(t.Context(), runtime.NoStream(), placed("1"), placed("1")); err != nil {
		t.Fatal(err)
	}
	for _, want := range []mapping.Loaded[int]{{State: 2, Version: 2}, {State: 2, Version: 2, Saved: 2}} {
		err := l.in(func(tx *sql.Tx) error {
			got, err := s.Load(t.Context(), tx, "1")
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
			s.Save(t.Context(), tx, "1", got)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff(map[string]int64{"Order hit": 1, "Order miss": 1}, l.counts("eventmap.snapshot.reads")); d != "" {
		t.Errorf("reads (-want +got):\n%s", d)
	}
	if d := cmp.Diff(map[string]int64{"Order": 1}, l.counts("eventmap.snapshot.saves")); d != "" {
		t.Errorf("saves (-want +got):\n%s", d)
	}
	wantAttributes(t, l.span("save snapshot Order").Attributes, map[attribute.Key]string{
		"db.system.name": "sqlite", "db.operation.name": "save snapshot", "eventmap.aggregate.type": "Order", "eventmap.snapshot.version": "2",
	})
	var versions []string
	for _, span := range l.spans.GetSpans() {
		for _, a := range span.Attributes {
			if span.Name == "read Order" && a.Key == "eventmap.snapshot.version" {
				versions = append(versions, a.Value.String())
			}
		}
	}
	if d := cmp.Diff([]string{"0", "2"}, versions); d != "" {
		t.Errorf("versions of snapshots that reads began with (-want +got):\n%s", d)
	}
}

// A snapshot that cannot be saved is told by its kind; dropping is told too.
func TestSnapshots_refusedAndDropped(t *testing.T) {
	t.Parallel()
	l := newLab(t, sdktrace.AlwaysSample())
	kept := l.store.(runtime.SnapshotStore[*sql.Tx])
	key := runtime.SnapshotKey{AggregateType: "Order", AggregateID: "1", Fingerprint: "f"}
	err := l.in(func(tx *sql.Tx) error {
		return kept.SaveSnapshot(t.Context(), tx, key, runtime.Snapshot{Version: -1, State: []byte("1")})
	})
	if err == nil {
		t.Fatal("a snapshot of version -1 was saved")
	}
	for label := range l.counts("eventmap.snapshot.saves") {
		if label == "Order" {
			t.Error("a refused snapshot was counted as a saved one")
		}
	}
	err = l.in(func(tx *sql.Tx) error {
		_, err := kept.DropSnapshots(t.Context(), tx, runtime.SnapshotQuery{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	l.span("drop snapshots")
}
