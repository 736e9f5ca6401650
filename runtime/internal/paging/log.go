// Package paging is how the inspector of every store of ours reads a page of the log, whatever its database: which index it
// walks, how far it looks, and where the next page begins.
package paging

import (
	"math"

	"github.com/eventmap/eventmap/runtime/inspect"
)

// The indexes that migrate-gen makes if it is told to.
const (
	ByEventType     = "event type"
	ByCorrelationID = "correlation ID"
)

// An Order says by which index the log is walked, and in which direction.
type Order struct {
	By        string // empty: by position
	Ascending bool
}

// Orders are all of them.
func Orders() (orders []Order) {
	for _, by := range []string{"", ByEventType, ByCorrelationID} {
		orders = append(orders, Order{by, false}, Order{by, true})
	}
	return orders
}

// Statements read a page of the log, and tell where it has ended.
type Statements struct{ Events, Window string }

// A Log is the statements of an inspector that read the log: Indexed says whether the index of a column is there.
type Log struct {
	Orders  map[Order]*Statements
	Indexed string
}

// A Database runs statements within one transaction.
type Database struct {
	Events func(text string, args ...any) ([]inspect.Event, error)
	Row    func(text string, args []any, dest ...any) error
}

// Page returns a page of the log. With a filter that an index answers, whose columns are the filter's and the position, the
// page is full or the last; else at most query.Scan events are looked at.
func (l *Log) Page(db Database, q inspect.EventQuery) (page inspect.EventPage, err error) {
	order, key, err := l.order(db, q)
	if err != nil {
		return inspect.EventPage{}, err
	}
	scan := int64(max(q.Scan, q.Limit))
	if isWhole(q) {
		scan = int64(q.Limit)
	}
	before := q.Before
	if before == 0 {
		before = math.MaxInt64
	}
	texts := l.Orders[order]
	page.Events, err = db.Events(texts.Events, q.Bytes, q.After, before, int64(q.Limit),
		OrNull(q.AggregateType), OrNull(q.EventType), OrNull(q.CorrelationID), OrNull(q.CausationID), scan)
	if err != nil {
		return inspect.EventPage{}, err
	}
	if n := len(page.Events); n == q.Limit {
		page.Next = page.Events[n-1].GlobalPosition
		return page, nil
	}
	var looked, end int64
	if err := db.Row(texts.Window, append([]any{q.After, before, scan}, key...), &looked, &end); err != nil {
		return inspect.EventPage{}, err
	}
	if looked == scan {
		page.Next, page.Scanned = end, int(looked)
	}
	return page, nil
}

// order returns by which index a query is answered, and what is looked for there.
func (l *Log) order(db Database, q inspect.EventQuery) (order Order, key []any, err error) {
	for _, c := range []struct{ column, value, by string }{
		{"correlation_id", q.CorrelationID, ByCorrelationID},
		{"event_type", q.EventType, ByEventType},
	} {
		if c.value == "" {
			continue
		}
		indexed := false
		if err := db.Row(l.Indexed, []any{c.column}, &indexed); err != nil {
			return Order{}, nil, err
		}
		if indexed {
			return Order{c.by, q.Ascending}, []any{c.value}, nil
		}
	}
	return Order{Ascending: q.Ascending}, nil, nil
}

// isWhole reports whether a query selects every event.
func isWhole(q inspect.EventQuery) bool {
	return q.AggregateType == "" && q.EventType == "" && q.CorrelationID == "" && q.CausationID == ""
}

// OrNull returns a filter as an argument in which none is NULL.
func OrNull(filter string) any {
	if filter == "" {
		return nil
	}
	return filter
}
