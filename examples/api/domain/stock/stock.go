// Package stock is how much of an article there is, and for which orders it is reserved.
package stock

import (
	"errors"
	"fmt"

	"github.com/eventmap/eventmap/examples/api/domain/order"
)

// Article identifies the stock of an article.
type Article string

// An Event is something that happened to the stock of an article.
//
//eventmap:events Stock
type Event interface{ stockEvent() }

// Delivered says that articles came in.
type Delivered struct {
	Note     string `json:"note"` // the number of the delivery note
	Quantity int    `json:"quantity"`
}

// Reserved says that articles are put aside for an order.
type Reserved struct {
	Order    order.ID `json:"order"`
	Quantity int      `json:"quantity"`
}

// Released says that an order does not need its articles any more.
type Released struct {
	Order    order.ID `json:"order"`
	Quantity int      `json:"quantity"`
}

func (Delivered) stockEvent() {}
func (Reserved) stockEvent()  {}
func (Released) stockEvent()  {}

// The reasons to refuse something.
var (
	ErrInvalid = errors.New("a delivery has a quantity above zero")
	ErrNote    = errors.New("the delivery note was for another quantity")
)

// TooFew says that there are fewer articles than are asked for.
type TooFew struct{ Free, Asked int }

// Error names both quantities.
func (e *TooFew) Error() string {
	return fmt.Sprintf("%d are free, and %d are asked for", e.Free, e.Asked)
}

// Stock is the state that the events of an article fold into.
//
//eventmap:aggregate id=Article
type Stock struct {
	Free     int
	Notes    map[string]int   // quantities by delivery note
	Reserved map[order.ID]int // quantities by order; 0 once they are released
}

// Deliver decides on a delivery. The same note comes in once, however often it is sent.
func (s Stock) Deliver(note string, quantity int) ([]Event, error) {
	known, ok := s.Notes[note]
	switch {
	case quantity <= 0:
		return nil, ErrInvalid
	case ok && known != quantity:
		return nil, ErrNote
	case ok:
		return nil, nil
	}
	return []Event{Delivered{Note: note, Quantity: quantity}}, nil
}

// Reserve decides whether an order gets its articles. An order that had some is not given any more.
func (s Stock) Reserve(id order.ID, quantity int) ([]Event, error) {
	if _, ok := s.Reserved[id]; ok {
		return nil, nil
	}
	if s.Free < quantity {
		return nil, &TooFew{Free: s.Free, Asked: quantity}
	}
	return []Event{Reserved{Order: id, Quantity: quantity}}, nil
}

// Release decides on an order that does not need its articles any more.
func (s Stock) Release(id order.ID) ([]Event, error) {
	if s.Reserved[id] == 0 {
		return nil, nil
	}
	return []Event{Released{Order: id, Quantity: s.Reserved[id]}}, nil
}

// OnDelivered adds to what is free.
func (s *Stock) OnDelivered(e Delivered) {
	if s.Notes == nil {
		s.Notes = map[string]int{}
	}
	s.Notes[e.Note] = e.Quantity
	s.Free += e.Quantity
}

// OnReserved takes from what is free.
func (s *Stock) OnReserved(e Reserved) {
	if s.Reserved == nil {
		s.Reserved = map[order.ID]int{}
	}
	s.Reserved[e.Order] = e.Quantity
	s.Free -= e.Quantity
}

// OnReleased gives back to what is free.
func (s *Stock) OnReleased(e Released) {
	s.Reserved[e.Order] = 0
	s.Free += e.Quantity
}
