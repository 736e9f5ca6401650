package catalog

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/internal/model"
	"github.com/eventmap/eventmap/internal/schemalock"
)

func upcast(e model.Event, to int) model.Event {
	e.Upcast = &model.Upcast{To: to}
	return e
}

func TestChanges(t *testing.T) {
	t.Parallel()
	gone := model.Event{Name: "Gone", Version: 1, Payload: &model.Shape{Kind: model.ObjectShape}}
	tests := []struct {
		name        string
		before, now *model.Domain
		want        string
	}{
		{"nothing", domain(placed(1, "a")), domain(placed(1, "a")), "No event has changed since v1.\n"},
		{"all", nil, domain(placed(1, "a")), `Changes since v1

Order
=====

* Placed is new.
  Placed begins an order.
    + a: a string
  Handlers of Order must handle it or ignore it. Deploy consumers before the code that emits it.
`},
		{"versions of a new event are one", nil, domain(upcast(placed(1, "a"), 2), placed(2, "b")), `Changes since v1

Order
=====

* Placed is new.
  Placed begins an order.
    + b: a string
  Handlers of Order must handle it or ignore it. Deploy consumers before the code that emits it.
`},
		{"removed", domain(gone, placed(1, "a"), placed(2, "a")), domain(placed(2, "a")), `Changes since v1

Order
=====

* Version 1 of Placed was removed.
  Stored events of it can no longer be read.

* Gone was removed.
  Stored events of it can no longer be read.
`},
		{"chain", domain(upcast(placed(1, "a"), 2), placed(2, "a")), domain(upcast(placed(1, "a"), 2), upcast(placed(2, "a"), 3), placed(3, "a")), `Changes since v1

Order
=====

* Placed has a new version, 3.
  Placed begins an order.
  Events stored as version 1 or 2 are read as this version.
`},
		{"upcaster removed", domain(upcast(placed(1, "a"), 2), placed(2, "a")), domain(placed(1, "a"), placed(2, "a")), `Changes since v1

Order
=====

* Placed is read differently in version 1.
  Consumers get this version itself; before, they got version 2 in its place. Their handlers need a method for it.
`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var before *schemalock.Lock
			if test.before != nil {
				before = schemalock.Of(test.before)
			}
			got, err := Changes(before, test.now, "v1", "text")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
