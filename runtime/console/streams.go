package console

import (
	"fmt"

	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/inspect"
)

const (
	streamsPerPage = 50
	eventsPerPage  = 50
	maxTypes       = 200
)

// A streamsPage is streams.
type streamsPage struct {
	Type, Prefix string
	Types        []string
	Streams      []inspect.Stream
	Next         string // the link to the next page, or empty
	From         bool   // it is not the first page
}

func (h *Handler) streams(r *request) (view, error) {
	p := streamsPage{Type: r.param("type"), Prefix: r.param("prefix")}
	after := consumer.Stream{AggregateType: r.param("after_type"), AggregateID: r.param("after_id")}
	p.From = after != consumer.Stream{}
	var err error
	if p.Types, err = h.config.Inspector.AggregateTypes(r.Context(), maxTypes); err != nil {
		return view{}, err
	}
	p.Streams, err = h.config.Inspector.Streams(r.Context(), inspect.StreamQuery{
		AggregateType: p.Type, Prefix: p.Prefix, After: after, Limit: streamsPerPage,
	})
	if err != nil {
		return view{}, err
	}
	if n := len(p.Streams); n == streamsPerPage {
		last := p.Streams[n-1]
		p.Next = link("streams", "type", p.Type, "prefix", p.Prefix, "after_type", last.AggregateType, "after_id", last.AggregateID)
	}
	return view{template: "streams", title: "Streams", section: "streams", data: p}, nil
}

// A streamPage is one stream.
type streamPage struct {
	inspect.Stream
	Events      []streamEvent
	Older       string // links, or empty
	Newer       string
	NewestFirst bool
	Turned      string // the link to the same in the other direction
}

// A streamEvent is an event of a stream with what it says.
type streamEvent struct {
	eventRow
	Raw     content
	Current *content // the form that the domain uses today, if it is another; nil: it is the same, or not known
	Doc     string
}

func (h *Handler) stream(r *request) (view, error) {
	before, err := r.number("before")
	if err != nil {
		return view{}, err
	}
	after, err := r.number("after")
	if err != nil {
		return view{}, err
	}
	name := consumer.Stream{AggregateType: r.param("type"), AggregateID: r.param("id")}
	newest := r.param("order") == "newest"
	// Pages are walked in either direction, and shown in the order that was asked for.
	ascending := before == 0 && (after != 0 || !newest)
	head, events, err := h.config.Inspector.StreamEvents(r.Context(), inspect.StreamEventQuery{
		AggregateType: name.AggregateType,
		AggregateID:   name.AggregateID,
		Before:        before,
		After:         after,
		Ascending:     ascending,
		Limit:         eventsPerPage,
		Bytes:         payloadExcerpt,
	})
	if err != nil {
		return view{}, err
	}
	if head.Version == 0 && len(events) == 0 {
		return view{}, fmt.Errorf("there is no stream %q of %s: %w", clip(80, name.AggregateID), clip(80, name.AggregateType), errNotFound)
	}
	if ascending == newest {
		reverse(events)
	}
	order, other := "", "newest"
	if newest {
		order, other = "newest", ""
	}
	p := streamPage{Stream: head, NewestFirst: newest}
	p.Turned = link("stream", "type", name.AggregateType, "id", name.AggregateID, "order", other)
	for i := range events {
		p.Events = append(p.Events, h.streamEvent(&events[i]))
	}
	if n := len(events); n > 0 {
		low, high := events[0].AggregateVersion, events[n-1].AggregateVersion
		if newest {
			low, high = high, low
		}
		if low > 1 {
			p.Older = link("stream", "type", name.AggregateType, "id", name.AggregateID, "order", order, "before", low)
		}
		if high < head.Version {
			p.Newer = link("stream", "type", name.AggregateType, "id", name.AggregateID, "order", order, "after", high)
		}
	}
	return view{template: "stream", title: clip(60, name.AggregateType+" "+name.AggregateID), section: "streams", live: true, data: p}, nil
}

func (h *Handler) streamEvent(e *inspect.Event) streamEvent {
	personal := h.config.Domain.Personal(e.AggregateType, e.EventType)
	s := streamEvent{eventRow: h.row(e, 0), Raw: show(e.Payload, e.PayloadSize, personal)}
	if d := h.description(e); d != nil {
		s.Doc = d.Doc
	}
	s.Current = h.current(e, personal)
	return s
}

func reverse(events []inspect.Event) {
	for i, j := 0, len(events)-1; i < j; i, j = i+1, j-1 {
		events[i], events[j] = events[j], events[i]
	}
}
