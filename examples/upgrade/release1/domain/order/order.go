// Package order is the first release: what seemed enough.
package order

// An Event is something that happened to an order.
//
//eventmap:events Order
type Event interface{ orderEvent() }

// Placed begins an order.
type Placed struct {
	Customer string `json:"customer"`
	Street   string `json:"street"`
	City     string `json:"city"`
}

// ItemAdded says that one piece of a product was added.
type ItemAdded struct {
	SKU   string `json:"sku"`
	Cents int64  `json:"cents"`
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
