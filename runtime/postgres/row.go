package postgres

import (
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/eventmap/eventmap/runtime"
)

// A decoder turns the rows of one read into events. Type names repeat from row to row, so equal ones share one string.
type decoder struct {
	event runtime.PersistedEvent
	names names
	dest  []any
}

// newDecoder returns a decoder for the columns of the read statements, in their order.
func newDecoder() *decoder {
	d := &decoder{names: make(names, 16)}
	e := &d.event
	d.dest = []any{
		&e.GlobalPosition,
		&name{&e.AggregateType, d.names},
		&lastText{&e.AggregateID},
		&e.AggregateVersion,
		&id{&e.EventID},
		&name{&e.EventType, d.names},
		&e.EventVersion,
		&content{&e.Payload},
		&optional{&e.TraceID},
		&optional{&e.CorrelationID},
		&optional{&e.CausationID},
		&content{&e.Metadata},
		&e.CreatedAt,
	}
	return d
}

// decode reads the current row.
func (d *decoder) decode(r rows) (runtime.PersistedEvent, error) {
	if err := r.Scan(d.dest...); err != nil {
		return runtime.PersistedEvent{}, err
	}
	d.event.CreatedAt = d.event.CreatedAt.UTC()
	return d.event, nil
}

// collect appends the events of all rows to events and closes the rows.
func (d *decoder) collect(events []runtime.PersistedEvent, r rows) ([]runtime.PersistedEvent, error) {
	defer r.Close()
	for r.Next() {
		e, err := d.decode(r)
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	r.Close()
	return events, r.Err()
}

// The destinations below take a column from either driver: pgx calls ScanBytes or ScanUUID with what came over the wire,
// which is valid only during the call, and database/sql calls Scan with the driver's value.

// names are the strings that one read has met.
type names map[string]string

// maxNames bounds what a read of a log with very many names keeps.
const maxNames = 1 << 12

func (n names) intern(b []byte) string {
	if s, ok := n[string(b)]; ok { // does not allocate
		return s
	}
	s := string(b)
	if len(n) < maxNames {
		n[s] = s
	}
	return s
}

// name is a text that has few values in a read.
type name struct {
	to   *string
	seen names
}

func (c *name) ScanBytes(b []byte) error {
	if string(b) != *c.to {
		*c.to = c.seen.intern(b)
	}
	return nil
}

func (c *name) Scan(src any) error { return scan(c, src) }

// lastText is a text that often equals that of the row before.
type lastText struct{ to *string }

func (c *lastText) ScanBytes(b []byte) error {
	if string(b) != *c.to {
		*c.to = string(b)
	}
	return nil
}

func (c *lastText) Scan(src any) error { return scan(c, src) }

// optional is a text that may be NULL.
type optional struct{ to *runtime.NullString }

func (c *optional) ScanBytes(b []byte) error {
	switch {
	case b == nil:
		*c.to = runtime.NullString{}
	case !c.to.Valid || string(b) != c.to.String:
		*c.to = runtime.SomeString(string(b))
	}
	return nil
}

func (c *optional) Scan(src any) error { return scan(c, src) }

// content is what is kept byte for byte, or NULL.
type content struct{ to *[]byte }

func (c *content) ScanBytes(b []byte) error {
	if b == nil {
		*c.to = nil
		return nil
	}
	fresh := make([]byte, len(b))
	copy(fresh, b)
	*c.to = fresh
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
