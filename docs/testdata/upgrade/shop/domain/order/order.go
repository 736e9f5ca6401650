// Package order is about what customers order.
package order

import (
	"errors"
	"time"
)

// ID identifies an order.
type ID string

// Event is something that happened to an order.
//
//eventmap:events Order
type Event interface{ isEvent() }

// Channel is where an order comes from.
type Channel int

// The channels.
const (
	Web Channel = iota + 1
	Till
)

// PlacedV1 is how orders were placed before there were currencies.
//
//eventmap:event name=Placed version=1
type PlacedV1 struct {
	Customer string `json:"customer"`
	Cents    int64  `json:"cents"`
}

// Placed: a customer ordered.
//
//eventmap:event version=2
type Placed struct {
	Customer string    `json:"customer"`
	Cents    int64     `json:"cents"`
	Currency string    `json:"currency"`
	Channel  Channel   `json:"channel"`
	At       time.Time `json:"at"`
	Note     *string   `json:"note,omitempty"`
}

// Paid: the money arrived.
type Paid struct {
	Method string            `json:"method"`
	Tags   map[string]string `json:"tags,omitempty"`
}

func (PlacedV1) isEvent() {}
func (Placed) isEvent()   {}
func (Paid) isEvent()     {}

// UpcastPlaced reads an order of version 1: all were in euro.
//
//eventmap:upcast
func UpcastPlaced(e PlacedV1) Placed {
	return Placed{Customer: e.Customer, Cents: e.Cents, Currency: "EUR", Channel: Web}
}

// Order is what its events come to.
//
//eventmap:aggregate id=ID
type Order struct {
	Customer string
	Cents    int64
	Currency string
	Paid     bool
}

func (o *Order) OnPlaced(e Placed) {
	o.Customer, o.Cents, o.Currency = e.Customer, e.Cents, e.Currency
}
func (o *Order) OnPaid(Paid) { o.Paid = true }

// Pay decides what follows from a payment.
func (o Order) Pay(method string) ([]Event, error) {
	switch {
	case o.Customer == "":
		return nil, errors.New("there is no such order")
	case o.Paid:
		return nil, errors.New("the order is paid already")
	}
	return []Event{Paid{Method: method}}, nil
}
