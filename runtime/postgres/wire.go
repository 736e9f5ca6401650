package postgres

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// wireRows are rows whose values can be had as they came over the wire. Those of pgx are.
type wireRows interface {
	RawValues() [][]byte
	FieldDescriptions() []pgconn.FieldDescription
}

// wireRowsOf returns r if its columns come in the forms that take expects: those that pgx asks for unless it runs
// statements without describing them. Else it returns nil.
func wireRowsOf(r rows) wireRows {
	w, ok := r.(wireRows)
	if !ok {
		return nil
	}
	fields := w.FieldDescriptions()
	if len(fields) != len(wireColumns) {
		return nil
	}
	for i, c := range wireColumns {
		if !c(fields[i].DataTypeOID, fields[i].Format) {
			return nil
		}
	}
	return w
}

// wireColumns say of each column which types and forms of it are expected.
var wireColumns = [...]func(oid uint32, form int16) bool{
	is(pgtype.Int8OID),
	isText,
	isText,
	is(pgtype.Int8OID),
	is(pgtype.UUIDOID),
	isText,
	is(pgtype.Int4OID),
	isBytes,
	isText,
	isText,
	isText,
	isDocument,
	is(pgtype.TimestamptzOID),
}

func is(wanted uint32) func(uint32, int16) bool {
	return func(oid uint32, form int16) bool { return oid == wanted && form == pgx.BinaryFormatCode }
}

// isText: a text is the same bytes in both forms.
func isText(oid uint32, _ int16) bool { return oid == pgtype.TextOID }

func isBytes(oid uint32, form int16) bool {
	return oid == pgtype.ByteaOID && form == pgx.BinaryFormatCode || isText(oid, form)
}

func isDocument(oid uint32, form int16) bool {
	return oid == pgtype.JSONOID || oid == pgtype.JSONBOID && form == pgx.TextFormatCode
}

// epoch is where PostgreSQL counts microseconds from, 2000-01-01, as microseconds since 1970.
const epoch = 946_684_800_000_000

// take reads a row as it came over the wire into the decoder's event. It returns false, and leaves the event half read, if
// a value is none that an events table holds: the driver says better what is wrong with it.
func (d *decoder) take(v [][]byte) bool {
	if len(v[0]) != 8 || len(v[3]) != 8 || len(v[4]) != 16 || v[5] == nil || len(v[6]) != 4 || len(v[12]) != 8 {
		return false
	}
	if d.stream == nil && (v[1] == nil || v[2] == nil) {
		return false
	}
	created := int64(binary.BigEndian.Uint64(v[12]))
	if created == math.MaxInt64 || created == math.MinInt64 { // infinity
		return false
	}
	e := &d.event
	e.GlobalPosition = int64(binary.BigEndian.Uint64(v[0]))
	if d.stream == nil {
		d.names.set(&e.AggregateType, v[1])
		d.blocks.set(&e.AggregateID, v[2])
	}
	e.AggregateVersion = int64(binary.BigEndian.Uint64(v[3]))
	copy(e.EventID[:], v[4])
	d.names.set(&e.EventType, v[5])
	e.EventVersion = int(int32(binary.BigEndian.Uint32(v[6])))
	e.Payload = d.blocks.bytes(v[7])
	d.blocks.setNull(&e.TraceID, v[8])
	d.blocks.setNull(&e.CorrelationID, v[9])
	d.blocks.setNull(&e.CausationID, v[10])
	e.Metadata = d.blocks.bytes(v[11])
	e.CreatedAt = time.UnixMicro(epoch + created).UTC()
	return true
}
