// Package order is the part of the shop that takes orders.
package order

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// ID identifies an order.
type ID string

// SKU identifies a product.
type SKU string

// Money is an amount in the smallest unit of its currency.
type Money struct {
	Cents    int64  `json:"cents"`
	Currency string `json:"currency"`
}

// String returns the amount as people write it.
func (m Money) String() string {
	return fmt.Sprintf("%d.%02d %s", m.Cents/100, m.Cents%100, m.Currency)
}

// Line is one product of an order.
type Line struct {
	SKU      SKU   `json:"sku"`
	Quantity int   `json:"quantity"`
	Price    Money `json:"price"` // of one
}

// Address is where a parcel goes.
type Address struct {
	Street  string `json:"street"`
	City    string `json:"city"`
	Country string `json:"country"`
}

// Order is the state of an order: what its events come to.
//
//eventmap:aggregate id=ID
type Order struct {
	Customer string
	Currency string
	Lines    []Line
	Paid     bool
	Shipped  bool
	Closed   bool
}

// Total returns what the order costs.
func (o Order) Total() Money {
	total := Money{Currency: o.Currency}
	for _, line := range o.Lines {
		total.Cents += int64(line.Quantity) * line.Price.Cents
	}
	return total
}

// Place decides on a new order.
func Place(customer, currency string, now time.Time, lines ...Line) []Event {
	events := []Event{Placed{Customer: customer, Currency: currency, PlacedAt: now}}
	for _, line := range lines {
		events = append(events, ItemAdded{Line: line})
	}
	return events
}

// Pay decides whether the order can be paid by the given method.
func (o Order) Pay(method string) ([]Event, error) {
	switch {
	case o.Closed:
		return nil, errors.New("the order is closed")
	case o.Paid:
		return nil, nil // paid already: nothing happens
	case len(o.Lines) == 0:
		return nil, errors.New("the order is empty")
	}
	return []Event{Paid{Amount: o.Total(), Method: method}}, nil
}

// Ship decides whether the order can go out.
func (o Order) Ship(carrier string, to Address) ([]Event, error) {
	if !o.Paid || o.Closed {
		return nil, errors.New("only an open, paid order can be shipped")
	}
	return []Event{Shipped{Carrier: carrier, To: to}}, nil
}

// ApplyPlaced begins the order.
func (o *Order) ApplyPlaced(e Placed) { o.Customer, o.Currency = e.Customer, e.Currency }

// ApplyItemAdded adds the line.
func (o *Order) ApplyItemAdded(e ItemAdded) {
	o.Lines = append(slices.Clip(o.Lines), e.Line)
}

// ApplyItemRemoved takes the line off.
func (o *Order) ApplyItemRemoved(e ItemRemoved) {
	o.Lines = slices.DeleteFunc(slices.Clone(o.Lines), func(l Line) bool { return l.SKU == e.SKU })
}

// ApplyPaid notes the payment.
func (o *Order) ApplyPaid(Paid) { o.Paid = true }

// ApplyShipped ends the order.
func (o *Order) ApplyShipped(Shipped) { o.Shipped, o.Closed = true, true }

// ApplyCancelled ends the order.
func (o *Order) ApplyCancelled(Cancelled) { o.Closed = true }
