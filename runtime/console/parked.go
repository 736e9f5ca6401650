package console

import (
	"fmt"

	"github.com/eventmap/eventmap/runtime/inspect"
)

const parkedPerPage = 50

// A parkedPage is parked events.
type parkedPage struct {
	Consumer string
	Parked   []inspect.Parked
	Next     string // the link to the next page, or empty
	From     bool   // it is not the first page
}

func (h *Handler) parked(r *request) (view, error) {
	after, err := r.number("after")
	if err != nil {
		return view{}, err
	}
	p := parkedPage{Consumer: r.param("consumer"), From: after != 0}
	p.Parked, err = h.config.Inspector.Parked(r.Context(), inspect.ParkedQuery{
		Consumer:      p.Consumer,
		AfterConsumer: r.param("of"),
		AfterPosition: after,
		Limit:         parkedPerPage,
	})
	if err != nil {
		return view{}, err
	}
	if n := len(p.Parked); n == parkedPerPage {
		last := p.Parked[n-1]
		p.Next = link("parked", "consumer", p.Consumer, "of", last.Consumer, "after", last.GlobalPosition)
	}
	return view{template: "parked", title: "Parked events", section: "parked", live: true, data: p}, nil
}

// A failurePage is one parked event: why it is parked, and what it is.
type failurePage struct {
	inspect.Parked
	Event   *eventPage // nil: it is not in the log any more
	Acts    bool
	Waiting bool // behind an earlier event of its stream
}

func (h *Handler) failure(r *request) (view, error) {
	position, err := r.number("position")
	if err != nil {
		return view{}, err
	}
	name := r.param("consumer")
	found, err := h.config.Inspector.Parked(r.Context(), inspect.ParkedQuery{
		Consumer: name, AfterConsumer: name, AfterPosition: position - 1, Position: position, Limit: 1,
	})
	if err != nil {
		return view{}, err
	}
	if len(found) == 0 {
		return view{}, fmt.Errorf("event %d is not parked by %q; it may have been handled or dropped: %w", position, clip(80, name), errNotFound)
	}
	p := failurePage{Parked: found[0], Acts: h.operatorOf(name) != nil, Waiting: found[0].Attempts == 0}
	e, err := h.config.Inspector.Event(r.Context(), position, payloadBytes)
	if err != nil {
		return view{}, err
	}
	if e != nil {
		shown := h.eventPage(e)
		p.Event = &shown
	}
	return view{template: "failure", title: fmt.Sprintf("Parked event %d", position), section: "parked", live: true, forms: p.Acts && r.access.operates(), data: p}, nil
}
