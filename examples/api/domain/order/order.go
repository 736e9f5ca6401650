// Package order is an order of one article: it is placed, and confirmed or rejected once the stock is known.
package order

import "errors"

// ID identifies an order.
type ID string

// An Event is something that happened to an order.
//
//eventmap:events Order
type Event interface{ orderEvent() }

// Placed begins an order.
type Placed struct {
	Article  string `json:"article"`
	Quantity int    `json:"quantity"`
}

// Confirmed says that the articles are reserved.
type Confirmed struct{}

// Rejected says that there were not enough articles.
type Rejected struct {
	Reason string `json:"reason"`
}

// Cancelled says that the customer does not want the articles any more.
type Cancelled struct {
	Reason string `json:"reason"`
}

func (Placed) orderEvent()    {}
func (Confirmed) orderEvent() {}
func (Rejected) orderEvent()  {}
func (Cancelled) orderEvent() {}

// Status is how far an order is.
type Status string

// An order is placed, then confirmed or rejected; it can be cancelled unless it was rejected.
const (
	StatusPlaced    Status = "placed"
	StatusConfirmed Status = "confirmed"
	StatusRejected  Status = "rejected"
	StatusCancelled Status = "cancelled"
)

// The reasons to refuse something.
var (
	ErrUnknown  = errors.New("there is no such order")
	ErrInvalid  = errors.New("an order has an article and a quantity above zero")
	ErrRejected = errors.New("the order was rejected")
)

// Order is the state that the events of an order fold into.
//
//eventmap:aggregate id=ID
type Order struct {
	Article  string
	Quantity int
	Status   Status // empty: there is no such order
}

// Place decides whether an order may begin.
func Place(article string, quantity int) ([]Event, error) {
	if article == "" || quantity <= 0 {
		return nil, ErrInvalid
	}
	return []Event{Placed{Article: article, Quantity: quantity}}, nil
}

// Confirm decides on the news that the articles are reserved. An order that does not wait for it stays as it is.
func (o Order) Confirm() ([]Event, error) {
	if o.Status != StatusPlaced {
		return nil, nil
	}
	return []Event{Confirmed{}}, nil
}

// Reject decides on the news that there are not enough articles.
func (o Order) Reject(reason string) ([]Event, error) {
	if o.Status != StatusPlaced {
		return nil, nil
	}
	return []Event{Rejected{Reason: reason}}, nil
}

// Cancel decides whether the customer may step back. To cancel an order twice is to cancel it once.
func (o Order) Cancel(reason string) ([]Event, error) {
	switch o.Status {
	case "":
		return nil, ErrUnknown
	case StatusRejected:
		return nil, ErrRejected
	case StatusCancelled:
		return nil, nil
	default:
		return []Event{Cancelled{Reason: reason}}, nil
	}
}

// OnPlaced begins the order.
func (o *Order) OnPlaced(e Placed) {
	o.Article, o.Quantity, o.Status = e.Article, e.Quantity, StatusPlaced
}

// OnConfirmed notes that the articles are reserved.
func (o *Order) OnConfirmed(Confirmed) { o.Status = StatusConfirmed }

// OnRejected ends the order.
func (o *Order) OnRejected(Rejected) { o.Status = StatusRejected }

// OnCancelled ends the order.
func (o *Order) OnCancelled(Cancelled) { o.Status = StatusCancelled }
