package order_test

import (
	"testing"

	"github.com/eventmap/eventmap/examples/api/domain/order"
	"github.com/eventmap/eventmap/examples/api/eventstore/eventstoretest"
)

func cancel(o order.Order) ([]order.Event, error) { return o.Cancel("late") }

func place(article string, quantity int) func(order.Order) ([]order.Event, error) {
	return func(order.Order) ([]order.Event, error) { return order.Place(article, quantity) }
}

var placed = order.Placed{Article: "tea", Quantity: 3}

func TestOrder_isPlaced(t *testing.T) {
	t.Parallel()
	eventstoretest.OrderScenario(t).
		When(place("", 3)).ThenError(order.ErrInvalid).
		When(place("tea", 0)).ThenError(order.ErrInvalid).
		When(place("tea", 3)).Then(placed)
}

func TestOrder_isCancelledOnce(t *testing.T) {
	t.Parallel()
	eventstoretest.OrderScenario(t).When(cancel).ThenError(order.ErrUnknown)
	for _, given := range [][]order.Event{{placed}, {placed, order.Confirmed{}}} {
		eventstoretest.OrderScenario(t).Given(given...).
			When(cancel).Then(order.Cancelled{Reason: "late"}).
			When(cancel).Then().
			When(order.Order.Confirm).Then()
	}
	eventstoretest.OrderScenario(t).Given(placed, order.Rejected{Reason: "none left"}).
		When(cancel).ThenError(order.ErrRejected)
}
