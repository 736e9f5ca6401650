package postgres

import (
	"context"
	"strconv"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
)

// appendTogether sends one statement with what can be appended at once of the parts, and notes which events it has stored. An
// error of the server means that nothing was; another one is that of what the parts have joined.
func (g *Group) appendTogether(f *flight, parts []*part) error {
	requests := make(map[uuid.UUID]*request)
	var sent []*part
	for _, p := range parts {
		if p.chain(requests); p.events > 0 {
			sent = append(sent, p)
		}
	}
	if len(sent) == 0 {
		return nil
	}
	q, err := g.querier(f)
	if err != nil {
		return err
	}
	if err := g.appendedTogether(f, q, sent, requests); err != nil {
		return outcome(err)
	}
	return nil
}

func (g *Group) appendedTogether(f *flight, q querier, sent []*part, requests map[uuid.UUID]*request) error {
	r, err := q.query(f.ctx, g.across(g.log, g.sql.appendGroup, g.groupArguments(sent, f.patient)...))
	if err != nil {
		return err
	}
	defer r.Close()
	var eventID uuid.UUID
	var version, position int64
	dest := []any{&id{&eventID}, &version, &position}
	for r.Next() {
		if err := r.Scan(dest...); err != nil {
			return err
		}
		if request := requests[eventID]; request != nil {
			request.positions = append(request.positions, position)
			request.first = min(request.first, version)
		}
	}
	r.Close()
	return r.Err()
}

// groupArguments returns the arguments of the statement: the streams by column, and all their events by column.
func (g *Group) groupArguments(sent []*part, patient bool) []any {
	n := len(sent)
	types, ids := make([]string, n), make([]string, n)
	lowest, highest, counts := make([]int64, n), make([]int64, n), make([]int64, n)
	total := 0
	for i, p := range sent {
		types[i], ids[i] = p.stream.AggregateType, p.stream.AggregateID
		lowest[i], highest[i], counts[i] = p.lowest, p.highest, int64(p.events)
		total += p.events
	}
	streams, places := make([]int64, 0, total), make([]int64, 0, total)
	events := make([]runtime.PersistedEvent, 0, total)
	for i, p := range sent {
		place := int64(0)
		for _, r := range p.joined {
			for range r.events {
				place++
				streams, places = append(streams, int64(i)+1), append(places, place)
			}
			events = append(events, r.events...)
		}
	}
	var limit *string // that of the session
	if !patient {
		ours := strconv.FormatInt(patience.Milliseconds(), 10)
		limit = &ours
	}
	args := []any{types, ids, lowest, highest, counts, limit, streams, places}
	return g.withNotify(append(args, newColumns(events).arguments()...))
}

// found returns those of the requests' events that are stored already, and the versions of the parts' streams.
func (g *Group) found(ctx context.Context, q querier, requests []*request, parts []*part) (map[uuid.UUID]runtime.PersistedEvent, []int64, error) {
	types, ids := make([]string, len(parts)), make([]string, len(parts))
	for i, p := range parts {
		types[i], ids[i] = p.stream.AggregateType, p.stream.AggregateID
	}
	var wanted, streams []string
	for _, r := range requests {
		streams = append(streams, r.stream.AggregateID)
		for i := range r.events {
			wanted = append(wanted, r.events[i].EventID.String())
		}
	}
	var versions []int64
	rows, err := q.queryAfter(ctx,
		g.across(g.log, g.sql.heads, types, ids), []any{&versions},
		g.byID(wanted, streams...))
	if err != nil {
		return nil, nil, err
	}
	events, err := newDecoder().collect(nil, rows, len(wanted))
	if err != nil {
		return nil, nil, err
	}
	found := make(map[uuid.UUID]runtime.PersistedEvent, len(events))
	for _, e := range events {
		found[e.EventID] = e
	}
	return found, versions, nil
}
