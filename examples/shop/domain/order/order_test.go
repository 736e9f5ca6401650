package order_test

import (
	"testing"
	"time"

	"github.com/eventmap/eventmap/examples/shop/domain/order"
	orderv1 "github.com/eventmap/eventmap/examples/shop/domain/order/v1"
	"github.com/eventmap/eventmap/examples/shop/shopstore/shopstoretest"
)

var (
	now = time.Date(2026, time.March, 1, 9, 5, 0, 0, time.UTC)
	tea = order.Line{SKU: "tea", Quantity: 3, Price: order.Money{Cents: 450, Currency: "EUR"}}
	cup = order.Line{SKU: "cup", Quantity: 1, Price: order.Money{Cents: 1290, Currency: "EUR"}}
)

func pay(o order.Order) ([]order.Event, error) { return o.Pay("card") }

func ship(o order.Order) ([]order.Event, error) {
	return o.Ship("Royal Mail", order.Address{City: "London"})
}

func TestOrder_isPaidInFullAndOnce(t *testing.T) {
	t.Parallel()
	shopstoretest.OrderScenario(t).
		Given(order.Place("Ada", "EUR", now, tea, cup)...).
		When(pay).Then(order.Paid{Amount: order.Money{Cents: 2640, Currency: "EUR"}, Method: "card"}).
		When(pay).ThenNothing()
}

func TestOrder_whatWasTakenOffIsNotPaid(t *testing.T) {
	t.Parallel()
	shopstoretest.OrderScenario(t).
		Given(order.Place("Ada", "EUR", now, tea, cup)...).
		Given(order.ItemRemoved{SKU: "tea"}).
		When(pay).Then(order.Paid{Amount: order.Money{Cents: 1290, Currency: "EUR"}, Method: "card"})
}

func TestOrder_refusals(t *testing.T) {
	t.Parallel()
	placed := shopstoretest.OrderScenario(t).Given(order.Placed{Customer: "Ada", Currency: "EUR", PlacedAt: now})
	placed.When(pay).ThenErrorText("empty")
	placed.When(ship).ThenErrorText("only an open, paid order")
	placed.Given(order.Cancelled{Reason: "mistake"}).When(pay).ThenErrorText("closed")
}

func TestOrder_isShippedOnce(t *testing.T) {
	t.Parallel()
	shopstoretest.OrderScenario(t).
		Given(order.Place("Ada", "EUR", now, tea)...).
		When(pay).Then(order.Paid{Amount: order.Money{Cents: 1350, Currency: "EUR"}, Method: "card"}).
		When(ship).Then(order.Shipped{Carrier: "Royal Mail", To: order.Address{City: "London"}}).
		When(ship).ThenErrorText("only an open, paid order")
}

// Orders of the first release had no currency.
func TestOrder_ofTheFirstReleaseIsPaidInEuros(t *testing.T) {
	t.Parallel()
	shopstoretest.OrderScenario(t).
		GivenStored(orderv1.Placed{CustomerName: "Charles", At: now}).
		Given(order.ItemAdded{Line: tea}).
		ThenState(order.Order{Customer: "Charles", Currency: "EUR", Lines: []order.Line{tea}}).
		When(pay).Then(order.Paid{Amount: order.Money{Cents: 1350, Currency: "EUR"}, Method: "card"})
}
