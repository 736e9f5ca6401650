package stock_test

import (
	"testing"

	"github.com/eventmap/eventmap/examples/api/domain/stock"
	"github.com/eventmap/eventmap/examples/api/eventstore/eventstoretest"
)

func deliver(note string, quantity int) func(stock.Stock) ([]stock.Event, error) {
	return func(s stock.Stock) ([]stock.Event, error) { return s.Deliver(note, quantity) }
}

func reserve(quantity int) func(stock.Stock) ([]stock.Event, error) {
	return func(s stock.Stock) ([]stock.Event, error) { return s.Reserve("o-1", quantity) }
}

func release(s stock.Stock) ([]stock.Event, error) { return s.Release("o-1") }

func TestStock_deliveryNoteCountsOnce(t *testing.T) {
	t.Parallel()
	eventstoretest.StockScenario(t).
		When(deliver("n-1", 5)).Then(stock.Delivered{Note: "n-1", Quantity: 5}).
		When(deliver("n-1", 5)).Then().
		When(deliver("n-1", 6)).ThenError(stock.ErrNote).
		When(deliver("n-2", 0)).ThenError(stock.ErrInvalid)
}

func TestStock_orderIsServedOnce(t *testing.T) {
	t.Parallel()
	eventstoretest.StockScenario(t).Given(stock.Delivered{Note: "n-1", Quantity: 5}).
		When(reserve(6)).ThenError(&stock.TooFew{Free: 5, Asked: 6}).
		When(release).Then().
		When(reserve(3)).Then(stock.Reserved{Order: "o-1", Quantity: 3}).
		When(reserve(3)).Then().
		When(release).Then(stock.Released{Order: "o-1", Quantity: 3}).
		When(release).Then().
		When(reserve(3)).Then() // the order had its articles: a reservation that comes late again changes nothing
}
