// Package order is the second release: several pieces of a product, and customers by their IDs.
package order

import v1 "github.com/eventmap/eventmap/examples/upgrade/release2/domain/order/v1"

// An Event is something that happened to an order.
//
//eventmap:events Order
type Event interface{ orderEvent() }

// Placed begins an order.
//
//eventmap:event version=2
type Placed struct {
	CustomerID string `json:"customerId"`
	Street     string `json:"street"`
	City       string `json:"city"`
}

// UpcastPlaced reads an order of release 1, which called the ID of the customer the customer.
//
//eventmap:upcast
func UpcastPlaced(old v1.Placed) Placed {
	return Placed{CustomerID: old.Customer, Street: old.Street, City: old.City}
}

// ItemAdded says that pieces of a product were added.
type ItemAdded struct {
	SKU      string `json:"sku"`
	Cents    int64  `json:"cents"`              // of one
	Quantity int    `json:"quantity,omitempty"` // 0, as in release 1: one
}

// Discounted says that all is cheaper.
type Discounted struct {
	Percent int `json:"percent"`
}

// Paid says that money arrived.
type Paid struct {
	Cents int64 `json:"cents"`
}

func (Placed) orderEvent()     {}
func (ItemAdded) orderEvent()  {}
func (Discounted) orderEvent() {}
func (Paid) orderEvent()       {}
