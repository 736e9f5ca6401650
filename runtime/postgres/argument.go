package postgres

import (
	"math"
	"time"
	"unsafe"

	"github.com/eventmap/eventmap/runtime"
)

// arguments returns the arguments of an append statement: the stream, its expected version, and the events by column.
// UUIDs and JSON go as text, which is the only form that every mode of pgx and database/sql can send in an array.
func (s *Store[Tx]) arguments(expected runtime.ExpectedVersion, events []runtime.PersistedEvent) []any {
	lowest, highest := bounds(expected)
	args := []any{events[0].AggregateType, events[0].AggregateID, lowest, highest, int64(len(events))}
	return s.withNotify(append(args, newColumns(events).arguments()...))
}

// withNotify adds the channel to notify, for which statements have a parameter only if there is one.
func (s *Store[Tx]) withNotify(args []any) []any {
	if s.notify == "" {
		return args
	}
	return append(args, s.notify)
}

// bounds returns the versions that a stream may be at; 0 is one that does not exist.
func bounds(expected runtime.ExpectedVersion) (lowest, highest int64) {
	switch {
	case expected.IsAny():
		return 0, math.MaxInt64
	case expected.IsStreamExists():
		return 1, math.MaxInt64
	}
	return expected.Value(), expected.Value()
}

// columns are events by column, as the arrays of an append statement. They share memory with the events and live no
// longer than the call.
type columns struct {
	ids          []string
	types        []string
	versions     []int32
	payloads     [][]byte
	traces       []*string
	correlations []*string
	causations   []*string
	metadata     []*string
	created      []time.Time
}

// arguments returns the columns in the order of the statements' parameters.
func (c *columns) arguments() []any {
	return []any{
		c.ids, c.types, c.versions, c.payloads, c.traces, c.correlations, c.causations, c.metadata, c.created,
	}
}

func newColumns(events []runtime.PersistedEvent) *columns {
	n := len(events)
	c := &columns{
		ids:      make([]string, n),
		types:    make([]string, n),
		versions: make([]int32, n),
		payloads: make([][]byte, n),
		created:  make([]time.Time, n),
	}
	absent := make([]*string, n)
	c.traces, c.correlations, c.causations, c.metadata = absent, absent, absent, absent
	for i := range events {
		e := &events[i]
		c.ids[i] = e.EventID.String()
		c.types[i] = e.EventType
		c.versions[i] = int32(e.EventVersion)
		c.payloads[i] = e.Payload
		c.created[i] = e.CreatedAt
		set(&c.traces, absent, i, e.TraceID)
		set(&c.correlations, absent, i, e.CorrelationID)
		set(&c.causations, absent, i, e.CausationID)
		if e.Metadata != nil {
			set(&c.metadata, absent, i, runtime.SomeString(unsafe.String(unsafe.SliceData(e.Metadata), len(e.Metadata))))
		}
	}
	return c
}

// set puts a text that is present into its column. A column shares the array of absent ones until it holds a text.
func set(column *[]*string, absent []*string, i int, text runtime.NullString) {
	if !text.Valid {
		return
	}
	if &(*column)[0] == &absent[0] {
		*column = make([]*string, len(absent))
	}
	(*column)[i] = &text.String
}

// eventIDs returns the IDs of the events as text.
func eventIDs(events []runtime.Event) []string {
	ids := make([]string, len(events))
	for i := range events {
		ids[i] = events[i].EventID.String()
	}
	return ids
}
