package postgres

import (
	"unsafe"

	"github.com/eventmap/eventmap/runtime"
)

// Blocks are shared by events that stand close together: they grow from firstBlock to lastBlock bytes, so that a read of few events
// needs little room and one of many few allocations. An event that is kept keeps its block. What is larger than
// ownBlock has memory of its own.
const (
	firstBlock = 512
	lastBlock  = 16 << 10
	ownBlock   = 2 << 10
)

// blocks are where copies of short texts and bytes are put, one behind the other. Each is handed out once and may be
// changed by whoever has it. The zero value is ready for use.
type blocks struct {
	last []byte // the block that is being filled, as far as it is
}

// bytes returns a copy of b; of nil, nil. To append to it is to copy it again.
func (s *blocks) bytes(b []byte) []byte {
	switch n := len(b); {
	case b == nil:
		return nil
	case n == 0:
		return []byte{}
	case n > ownBlock:
		return append(make([]byte, 0, n), b...)
	case n > cap(s.last)-len(s.last):
		s.last = make([]byte, 0, max(n, min(max(2*cap(s.last), firstBlock), lastBlock)))
	}
	from := len(s.last)
	s.last = append(s.last, b...)
	return s.last[from:len(s.last):len(s.last)]
}

// set gives *to the text of b, which is often that of the row before.
func (s *blocks) set(to *string, b []byte) {
	if string(b) != *to {
		fresh := s.bytes(b)
		*to = unsafe.String(unsafe.SliceData(fresh), len(fresh))
	}
}

// setNull gives *to the text of b, or none for nil.
func (s *blocks) setNull(to *runtime.NullString, b []byte) {
	if b == nil {
		*to = runtime.NullString{}
		return
	}
	s.set(&to.String, b)
	to.Valid = true
}
