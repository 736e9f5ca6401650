// Package order is the third release: where a parcel goes may be said later, and change.
package order

// An Event is something that happened to an order.
//
//eventmap:events Order
type Event interface{ orderEvent() }

// Placed begins an order. Where it goes is another event.
//
//eventmap:event version=3
type Placed struct {
	CustomerID string `json:"customerId"`
}

// DeliveryChosen says where the order goes.
type DeliveryChosen struct {
	Street string `json:"street"`
	City   string `json:"city"`
}

// ItemAdded says that pieces of a product were added.
type ItemAdded struct {
	SKU      string `json:"sku"`
	Cents    int64  `json:"cents"`              // of one
	Quantity int    `json:"quantity,omitempty"` // 0, as in release 1: one
}

// PaymentReceived says that money arrived.
//
//eventmap:event name=Paid
type PaymentReceived struct {
	Cents int64 `json:"cents"`
}

func (Placed) orderEvent()          {}
func (DeliveryChosen) orderEvent()  {}
func (ItemAdded) orderEvent()       {}
func (PaymentReceived) orderEvent() {}
