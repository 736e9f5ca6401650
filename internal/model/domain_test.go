package model

import "testing"

func TestAggregate_findsEvents(t *testing.T) {
	t.Parallel()
	a := Aggregate{Events: []Event{
		{Name: "Paid", Version: 1},
		{Name: "Placed", Version: 1, Upcast: &Upcast{To: 3}},
		{Name: "Placed", Version: 3},
	}}
	if e := a.Latest("Placed"); e == nil || e.Version != 3 || e != &a.Events[2] {
		t.Errorf("latest Placed is %+v", e)
	}
	if e := a.Event("Placed", 1); e != &a.Events[1] || e.Current() {
		t.Errorf("Placed v1 is %+v", e)
	}
	if !a.Events[2].Current() {
		t.Error("Placed v3 is not current")
	}
	if a.Latest("Gone") != nil || a.Event("Placed", 2) != nil {
		t.Error("found what is not there")
	}
}
