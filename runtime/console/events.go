package console

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime/inspect"
)

// scan is how many events a page of a search looks at where there is no index.
const scan = 20_000

// related is how far from an event those of the same conversation are looked for, in positions.
const related = 5000

// An eventRow is an event in a list.
type eventRow struct {
	*inspect.Event
	Known  bool // to the domain, or there is no domain to know it
	Beyond bool // the frontier: consumers cannot read it yet
	Old    bool // it is written in a newer version today
}

func (h *Handler) row(e *inspect.Event, frontier int64) eventRow {
	d := h.description(e)
	return eventRow{
		Event:  e,
		Known:  h.config.Domain == nil || d != nil,
		Beyond: frontier > 0 && e.GlobalPosition > frontier,
		Old:    d != nil && !d.Current,
	}
}

func (h *Handler) rows(events []inspect.Event, frontier int64) []eventRow {
	rows := make([]eventRow, len(events))
	for i := range events {
		rows[i] = h.row(&events[i], frontier)
	}
	return rows
}

// An eventsPage is a part of the log.
type eventsPage struct {
	Type, Event, Correlation, Causation, At string
	Types                                   []string // of aggregates
	Kinds                                   []string // of events, as far as they are known
	Events                                  []eventRow
	Older, Newer                            string // links, or empty
	Scanned                                 int
	Filtered                                bool
}

// timeLayouts are how a time can be given, in UTC. The first is that of browsers.
var timeLayouts = []string{"2006-01-02T15:04", "2006-01-02T15:04:05", time.RFC3339, time.DateOnly, "2006-01-02 15:04", "2006-01-02 15:04:05"}

func parseTime(text string) (time.Time, error) {
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, badRequest{fmt.Errorf("%.40q is not a time; write 2006-01-02T15:04, in UTC", text)}
}

func (h *Handler) events(r *request) (view, error) {
	before, err := r.number("before")
	if err != nil {
		return view{}, err
	}
	after, err := r.number("after")
	if err != nil {
		return view{}, err
	}
	p := eventsPage{
		Type: r.param("type"), Event: r.param("event"), Correlation: r.param("correlation"), Causation: r.param("causation"), At: r.param("at"),
	}
	p.Filtered = p.Type+p.Event+p.Correlation+p.Causation != ""
	if p.At != "" && before == 0 && after == 0 {
		at, err := parseTime(p.At)
		if err != nil {
			return view{}, err
		}
		positions, err := h.config.Inspector.PositionsAt(r.Context(), []time.Time{at})
		if err != nil {
			return view{}, err
		}
		if len(positions) == 1 {
			before = positions[0] + 1
		}
	}
	q := inspect.EventQuery{
		AggregateType: p.Type,
		EventType:     p.Event,
		CorrelationID: p.Correlation,
		CausationID:   p.Causation,
		Before:        before,
		After:         after,
		Ascending:     after != 0,
		Limit:         eventsPerPage,
		Scan:          scan,
	}
	page, err := h.config.Inspector.Events(r.Context(), q)
	if err != nil {
		return view{}, err
	}
	if p.Types, err = h.config.Inspector.AggregateTypes(r.Context(), maxTypes); err != nil {
		return view{}, err
	}
	p.Kinds = h.kinds(p.Type)
	p.Scanned = page.Scanned
	var missing []string
	frontier, err := h.config.Inspector.Frontier(r.Context())
	if err != nil {
		missing = append(missing, err.Error())
	}
	p.link(q, page)
	if q.Ascending {
		reverse(page.Events)
	}
	p.Events = h.rows(page.Events, frontier.Frontier)
	live := before == 0 && after == 0 && p.At == ""
	return view{template: "events", title: "Events", section: "events", live: live, data: p, parts: missing}, nil
}

// link sets the links to the pages before and after.
func (p *eventsPage) link(q inspect.EventQuery, page inspect.EventPage) {
	to := func(name string, position int64) string {
		return link("events", "type", p.Type, "event", p.Event, "correlation", p.Correlation, "causation", p.Causation, name, position)
	}
	low, high := q.Before, q.After
	if n := len(page.Events); n > 0 {
		low, high = page.Events[n-1].GlobalPosition, page.Events[0].GlobalPosition
		if q.Ascending {
			low, high = high, low
		}
	}
	if q.Ascending {
		if page.Next > 0 {
			p.Newer = to("after", page.Next)
		}
		p.Older = to("before", max(low, q.After+1))
		return
	}
	if page.Next > 0 {
		p.Older = to("before", page.Next)
	}
	if q.Before > 0 {
		p.Newer = to("after", max(high, q.Before-1))
	}
}

// kinds returns the event types that the domain knows of an aggregate type, or of all.
func (h *Handler) kinds(aggregateType string) []string {
	if h.config.Domain == nil {
		return nil
	}
	var kinds []string
	seen := make(map[string]bool)
	for _, e := range h.config.Domain.Events {
		if (aggregateType == "" || e.AggregateType == aggregateType) && !seen[e.EventType] {
			seen[e.EventType] = true
			kinds = append(kinds, e.EventType)
		}
	}
	return kinds
}

// An eventPage is one event.
type eventPage struct {
	eventRow
	Description *inspect.EventType
	Raw         content
	Current     *content // the form that the domain uses today, if it is another
	CurrentType *inspect.EventType
	Metadata    content
	Cause       string // the link to the event that caused it, if that is one
	Effects     string // the link to the events that it has caused
	Related     string // the link to those of the same conversation
	Previous    string // of its stream
	Following   string
}

func (h *Handler) event(r *request) (view, error) {
	position, err := r.number("position")
	if err != nil {
		return view{}, err
	}
	var e *inspect.Event
	switch {
	case r.param("id") != "":
		id, parseErr := uuid.Parse(r.param("id"))
		if parseErr != nil {
			return view{}, badRequest{fmt.Errorf("%.60q is not the ID of an event", r.param("id"))}
		}
		e, err = h.config.Inspector.EventByID(r.Context(), id, payloadBytes)
	case r.param("stream") != "":
		e, err = h.versionOf(r)
	default:
		e, err = h.config.Inspector.Event(r.Context(), position, payloadBytes)
	}
	if err != nil {
		return view{}, err
	}
	if e == nil {
		return view{}, fmt.Errorf("there is no such event: the position may be a gap, the append not committed, or the event archived: %w", errNotFound)
	}
	p := h.eventPage(e)
	return view{template: "event", title: fmt.Sprintf("%s at %d", clip(60, e.EventType), e.GlobalPosition), section: "events", data: p}, nil
}

// versionOf returns an event by its version in a stream.
func (h *Handler) versionOf(r *request) (*inspect.Event, error) {
	version, err := r.number("version")
	if err != nil {
		return nil, err
	}
	_, events, err := h.config.Inspector.StreamEvents(r.Context(), inspect.StreamEventQuery{
		AggregateType: r.param("type"),
		AggregateID:   r.param("stream"),
		After:         version - 1,
		Before:        version + 1,
		Limit:         1,
		Bytes:         payloadBytes,
	})
	if err != nil || len(events) == 0 {
		return nil, err
	}
	return &events[0], nil
}

func (h *Handler) eventPage(e *inspect.Event) eventPage {
	personal := h.config.Domain.Personal(e.AggregateType, e.EventType)
	p := eventPage{
		eventRow:    h.row(e, 0),
		Description: h.description(e),
		Raw:         show(e.Payload, e.PayloadSize, personal),
		Metadata:    show(e.Metadata, e.MetadataSize, nil),
		CurrentType: h.config.Domain.Current(e.AggregateType, e.EventType),
		Effects:     link("events", "causation", e.EventID.String(), "after", e.GlobalPosition),
		Following:   link("event", "type", e.AggregateType, "stream", e.AggregateID, "version", e.AggregateVersion+1),
	}
	p.Current = h.current(e, personal)
	if e.AggregateVersion > 1 {
		p.Previous = link("event", "type", e.AggregateType, "stream", e.AggregateID, "version", e.AggregateVersion-1)
	}
	if id, err := uuid.Parse(e.CausationID.String); e.CausationID.Valid && err == nil {
		p.Cause = link("event", "id", id.String())
	}
	if e.CorrelationID.Valid && e.CorrelationID.String != "" {
		p.Related = link("events", "correlation", e.CorrelationID.String, "after", max(e.GlobalPosition-related, 1))
	}
	return p
}

// current returns an event in the form that the domain uses today, if that is not how it is stored.
func (h *Handler) current(e *inspect.Event, personal []string) (c *content) {
	d := h.description(e)
	if d == nil || d.Current || h.config.Domain.Decode == nil {
		return nil
	}
	if int64(len(e.Payload)) < e.PayloadSize {
		return &content{Note: "too long to be read here"}
	}
	defer func() {
		if value := recover(); value != nil { // of the user's own code
			c = &content{Note: "upcasting it panics: " + clip(300, fmt.Sprint(value))}
		}
	}()
	decoded, err := h.config.Domain.Decode(&e.PersistedEvent)
	if err != nil {
		if len(personal) > 0 { // the error could quote a value
			return &content{Note: "it cannot be read in today's form"}
		}
		return &content{Note: "it cannot be read in today's form: " + clip(300, err.Error())}
	}
	b, err := json.Marshal(decoded)
	if err != nil {
		return &content{Note: fmt.Sprintf("a %T cannot be shown as JSON", decoded)}
	}
	shown := show(b, int64(len(b)), personal)
	return &shown
}

// find leads from what somebody types to where it is: a position, the ID of an event, or the beginning of the ID of a
// stream, with its type before a slash or without.
func (h *Handler) find(r *request) (view, error) {
	text := strings.TrimSpace(r.param("q"))
	if text == "" {
		return view{redirect: "streams"}, nil
	}
	if position, err := strconv.ParseInt(strings.ReplaceAll(text, ",", ""), 10, 64); err == nil && position > 0 {
		e, err := h.config.Inspector.Event(r.Context(), position, 0)
		if err != nil {
			return view{}, err
		}
		if e != nil {
			return view{redirect: link("event", "position", position)}, nil
		}
	}
	if id, err := uuid.Parse(text); err == nil {
		e, err := h.config.Inspector.EventByID(r.Context(), id, 0)
		if err != nil {
			return view{}, err
		}
		if e != nil {
			return view{redirect: link("event", "id", id.String())}, nil
		}
	}
	q := inspect.StreamQuery{Prefix: text, Limit: 2}
	if name, id, ok := strings.Cut(text, "/"); ok && id != "" {
		types, err := h.config.Inspector.AggregateTypes(r.Context(), maxTypes)
		if err != nil {
			return view{}, err
		}
		for _, t := range types {
			if strings.EqualFold(t, name) {
				q.AggregateType, q.Prefix = t, id
			}
		}
	}
	streams, err := h.config.Inspector.Streams(r.Context(), q)
	if err != nil {
		return view{}, err
	}
	if len(streams) == 1 {
		return view{redirect: link("stream", "type", streams[0].AggregateType, "id", streams[0].AggregateID)}, nil
	}
	return view{redirect: link("streams", "type", q.AggregateType, "prefix", q.Prefix, "q", text)}, nil
}
