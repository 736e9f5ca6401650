package postgres

import (
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/internal/reading"
)

// A decoder turns the rows of one read into events. Type names repeat from row to row, so equal ones share one string;
// the rest comes to lie in blocks that events share.
type decoder struct {
	event  runtime.PersistedEvent
	names  names
	blocks blocks
	from   rows                           // whose columns are known
	wire   wireRows                       // from, if its columns can be taken as they come over the wire, or nil
	dest   []any                          // what its columns are scanned into if not
	show   func([]runtime.PersistedEvent) // what collect has read, or nil
	stream *runtime.SnapshotKey           // that all rows are of, which do not name it, or nil
}

// newDecoder returns a decoder for the columns of the read statements, in their order.
func newDecoder() *decoder { return &decoder{names: make(names, 16)} }

// destinations returns what the columns are scanned into.
func (d *decoder) destinations() []any {
	if d.dest != nil {
		return d.dest
	}
	e := &d.event
	d.dest = []any{
		&e.GlobalPosition,
		&name{&e.AggregateType, d.names},
		&lastText{&e.AggregateID, &d.blocks},
		&e.AggregateVersion,
		&id{&e.EventID},
		&name{&e.EventType, d.names},
		&e.EventVersion,
		&content{&e.Payload, &d.blocks},
		&optional{&e.TraceID, &d.blocks},
		&optional{&e.CorrelationID, &d.blocks},
		&optional{&e.CausationID, &d.blocks},
		&content{&e.Metadata, &d.blocks},
		&e.CreatedAt,
	}
	return d.dest
}

// decode reads the current row into the decoder's event.
func (d *decoder) decode(r rows) error {
	if d.from != r {
		d.from, d.wire = r, wireRowsOf(r)
	}
	if d.wire == nil || !d.take(d.wire.RawValues()) {
		if err := r.Scan(d.destinations()...); err != nil {
			return err
		}
		d.event.CreatedAt = d.event.CreatedAt.UTC()
	}
	if d.stream != nil {
		d.event.AggregateType, d.event.AggregateID = d.stream.AggregateType, d.stream.AggregateID
	}
	return nil
}

// How many events collect makes room for: few at first, then four times as many, up to a usual page.
const (
	fewRows  = 64
	manyRows = 1024
)

// collect appends the events of all rows, which are limit at most, to events and closes the rows.
func (d *decoder) collect(events []runtime.PersistedEvent, r rows, limit int) ([]runtime.PersistedEvent, error) {
	defer r.Close()
	for r.Next() {
		if err := d.decode(r); err != nil {
			return nil, err
		}
		if n := len(events); n == cap(events) && n < manyRows {
			events = append(make([]runtime.PersistedEvent, 0, min(max(4*n, fewRows), limit)), events...)
		}
		events = append(events, d.event)
		reading.Show(events, d.show)
	}
	r.Close()
	return events, r.Err()
}

// collectBeginning returns the rows of a statement that reads a snapshot and the events after it. The row of the snapshot
// mostly comes first: it says how many follow, and room is made for them at once, unless buffer has it.
func (d *decoder) collectBeginning(r rows, buffer []runtime.PersistedEvent) ([]runtime.PersistedEvent, error) {
	if !r.Next() {
		return d.collect(buffer[:0], r, fewRows)
	}
	if err := d.decode(r); err != nil {
		r.Close()
		return nil, err
	}
	first, more := d.event, fewRows
	if first.EventVersion == 0 { // the snapshot's: events begin at 1
		more = room(first.AggregateVersion, first.GlobalPosition)
	}
	if cap(buffer) < 1+more {
		buffer = make([]runtime.PersistedEvent, 0, 1+more)
	}
	return d.collect(append(buffer[:0], first), r, manyRows)
}

// The destinations below take a column from either driver: pgx calls ScanBytes or ScanUUID with what came over the wire,
// which is valid only during the call, and database/sql calls Scan with the driver's value.

// names are the strings that one read has met.
type names map[string]string

// maxNames bounds what a read of a log with very many names keeps.
const maxNames = 1 << 12

// set gives *to the text of b.
func (n names) set(to *string, b []byte) {
	if string(b) == *to { // does not allocate, nor does the look into the map
		return
	}
	s, met := n[string(b)]
	if !met {
		s = string(b)
		if len(n) < maxNames {
			n[s] = s
		}
	}
	*to = s
}

// name is a text that has few values in a read.
type name struct {
	to   *string
	seen names
}

func (c *name) ScanBytes(b []byte) error {
	c.seen.set(c.to, b)
	return nil
}

func (c *name) Scan(src any) error { return scan(c, src) }

// lastText is a text that often equals that of the row before.
type lastText struct {
	to     *string
	blocks *blocks
}

func (c *lastText) ScanBytes(b []byte) error {
	c.blocks.set(c.to, b)
	return nil
}

func (c *lastText) Scan(src any) error { return scan(c, src) }

// optional is a text that may be NULL.
type optional struct {
	to     *runtime.NullString
	blocks *blocks
}

func (c *optional) ScanBytes(b []byte) error {
	c.blocks.setNull(c.to, b)
	return nil
}

func (c *optional) Scan(src any) error { return scan(c, src) }

// content is what is kept byte for byte, or NULL.
type content struct {
	to     *[]byte
	blocks *blocks
}

func (c *content) ScanBytes(b []byte) error {
	*c.to = c.blocks.bytes(b)
	return nil
}

func (c *content) Scan(src any) error { return scan(c, src) }

// scan gives a value of database/sql to a destination.
func scan(c interface{ ScanBytes([]byte) error }, src any) error {
	switch v := src.(type) {
	case nil:
		return c.ScanBytes(nil)
	case string:
		return c.ScanBytes([]byte(v))
	case []byte:
		return c.ScanBytes(v)
	}
	return fmt.Errorf("cannot take %T as text or bytes", src)
}

// id is a UUID.
type id struct{ to *uuid.UUID }

func (c *id) ScanUUID(v pgtype.UUID) error {
	*c.to = v.Bytes
	return nil
}

func (c *id) Scan(src any) error { return c.to.Scan(src) }
