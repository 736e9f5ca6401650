package postgres

import (
	"math"
	"time"
	"unsafe"

	"github.com/eventmap/eventmap/runtime"
)

// appendQuery returns the statement of an append with its arguments: the stream, the versions it may be at, and the
// events. UUIDs and JSON go as text, which is the only form that every mode of pgx and database/sql can send in an array.
// drawn is what the last look at the sequence allows to rely on; 0: the statement looks.
func (s *Store[Tx]) appendQuery(expected runtime.ExpectedVersion, events []runtime.PersistedEvent, drawn int64) query {
	if s.tables.citus {
		stream := runtime.StreamAppend{AggregateType: events[0].AggregateType, AggregateID: events[0].AggregateID, Expected: expected}
		return s.of(stream.AggregateID, s.sql.appendOnNode, nodeArguments([]runtime.StreamAppend{stream}, [][]runtime.PersistedEvent{events})...)
	}
	creates, single := expected.IsAny() || expected.IsNoStream(), len(events) == 1
	lowest, highest := bounds(expected)
	args := make([]any, 0, 16)
	args = append(args, events[0].AggregateType, events[0].AggregateID, lowest, highest, len(events))
	if single {
		args = appendOne(args, &events[0])
	} else {
		args = append(args, newColumns(events).arguments()...)
	}
	args = s.withNotify(args)
	if drawn > 0 {
		return query{s.sql.appendOn.to(creates, single), append(args, drawn)}
	}
	return s.of(events[0].AggregateID, s.sql.append.to(creates, single), args...)
}

// appendOne adds an event to the arguments, each field as one.
func appendOne(args []any, e *runtime.PersistedEvent) []any {
	return append(args,
		e.EventID.String(),
		e.EventType,
		e.EventVersion,
		e.Payload,
		present(&e.TraceID),
		present(&e.CorrelationID),
		present(&e.CausationID),
		document(e.Metadata),
		e.CreatedAt)
}

// present returns a text as an argument, nil if it is absent.
func present(text *runtime.NullString) *string {
	if !text.Valid {
		return nil
	}
	return &text.String
}

// document returns JSON as an argument: text in the memory of b, nil if that is nil.
func document(b []byte) *string {
	if b == nil {
		return nil
	}
	text := unsafe.String(unsafe.SliceData(b), len(b))
	return &text
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
		set(&c.traces, absent, i, present(&e.TraceID))
		set(&c.correlations, absent, i, present(&e.CorrelationID))
		set(&c.causations, absent, i, present(&e.CausationID))
		set(&c.metadata, absent, i, document(e.Metadata))
	}
	return c
}

// set puts a text into its column, unless it is nil. A column shares the array of absent texts until it has one.
func set(column *[]*string, absent []*string, i int, text *string) {
	if text == nil {
		return
	}
	if &(*column)[0] == &absent[0] {
		*column = make([]*string, len(absent))
	}
	(*column)[i] = text
}

// eventIDs returns the IDs of the events as text.
func eventIDs(events []runtime.Event) []string {
	ids := make([]string, len(events))
	for i := range events {
		ids[i] = events[i].EventID.String()
	}
	return ids
}
