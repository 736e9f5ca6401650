package order

import v1 "github.com/eventmap/eventmap/examples/upgrade/release3/domain/order/v1"

// What nothing appends any more, and the log still holds.

// PlacedWithAddress begins an order and says where it goes, in release 2. No upcaster turns it into the Placed of today:
// the address would be lost.
//
//eventmap:event name=Placed version=2
type PlacedWithAddress struct {
	CustomerID string `json:"customerId"`
	Street     string `json:"street"`
	City       string `json:"city"`
}

// UpcastPlaced reads an order of release 1, which called the ID of the customer the customer.
//
//eventmap:upcast
func UpcastPlaced(old v1.Placed) PlacedWithAddress {
	return PlacedWithAddress{CustomerID: old.Customer, Street: old.Street, City: old.City}
}

// Discounted says that all is cheaper. There are no discounts since release 3.
type Discounted struct {
	Percent int `json:"percent"`
}

func (PlacedWithAddress) orderEvent() {}
func (Discounted) orderEvent()        {}
