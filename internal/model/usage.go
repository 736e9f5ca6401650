package model

import "slices"

// A Usage is what an application does with the events of a domain, as far as its source tells.
type Usage struct {
	Handlers []Handler // by Aggregate, Consumer, Func
	Emitters []Emitter // by Aggregate, Func
}

// A Handler is a place where a generated consumer or handler function is given what handles the events of an aggregate.
type Handler struct {
	Aggregate string
	Consumer  string // the name of the consumer; empty: it is no constant, or there is none
	Func      string // the function that gives it, such as customers.Consumer
	Handles   []string
	Ignores   []string // of a handler of functions: the events whose function is not set
	Unknown   []string // events of which the source does not tell whether they are handled
	Pos       Position
}

// An Emitter is a function that makes events and returns them, or hands them to a generated store.
type Emitter struct {
	Aggregate string
	Func      string // such as order.Order.Pay
	Doc       string // the first sentence of its doc comment
	Events    []string
	Pos       Position
}

// Of returns what an event is used by: the emitters that make it, and the handlers that handle or ignore it or of which
// nobody knows.
func (u *Usage) Of(aggregate, event string) (emitters []Emitter, handled, ignored, unknown []Handler) {
	if u == nil {
		return nil, nil, nil, nil
	}
	for _, e := range u.Emitters {
		if e.Aggregate == aggregate && slices.Contains(e.Events, event) {
			emitters = append(emitters, e)
		}
	}
	for _, h := range u.Handlers {
		switch {
		case h.Aggregate != aggregate:
		case slices.Contains(h.Handles, event):
			handled = append(handled, h)
		case slices.Contains(h.Ignores, event):
			ignored = append(ignored, h)
		case slices.Contains(h.Unknown, event):
			unknown = append(unknown, h)
		}
	}
	return emitters, handled, ignored, unknown
}
