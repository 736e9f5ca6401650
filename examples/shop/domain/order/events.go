package order

import (
	"time"

	v1 "github.com/eventmap/eventmap/examples/shop/domain/order/v1"
)

// An Event is something that happened to an order.
//
//eventmap:events Order
type Event interface{ orderEvent() }

// Placed begins an order: a customer ordered.
//
//eventmap:event version=2
type Placed struct {
	Customer string    `json:"customer"` //eventmap:index
	Currency string    `json:"currency"`
	PlacedAt time.Time `json:"placedAt"`
}

// ItemAdded says that a line was added.
type ItemAdded struct {
	Line Line `json:"line"`
}

// ItemRemoved says that the line of a product was taken off.
type ItemRemoved struct {
	SKU SKU `json:"sku"`
}

// Paid says that the whole amount arrived.
type Paid struct {
	Amount Money  `json:"amount"`
	Method string `json:"method"`
}

// Shipped says that the parcel left.
type Shipped struct {
	Carrier string  `json:"carrier"`
	Parcel  string  `json:"parcel,omitempty"`
	To      Address `json:"to"`
}

// Cancelled says that nothing comes of the order.
type Cancelled struct {
	Reason string `json:"reason"`
}

func (Placed) orderEvent()      {}
func (ItemAdded) orderEvent()   {}
func (ItemRemoved) orderEvent() {}
func (Paid) orderEvent()        {}
func (Shipped) orderEvent()     {}
func (Cancelled) orderEvent()   {}

// UpcastPlaced reads an order of the days before currencies: everything was sold in euros.
//
//eventmap:upcast
func UpcastPlaced(old v1.Placed) Placed {
	return Placed{Customer: old.CustomerName, Currency: "EUR", PlacedAt: old.At}
}
