package privacy

import (
	"encoding/binary"

	"github.com/google/uuid"
)

// A Place is where a sealed value stands. It is authenticated with the value, so a value that is moved to another field,
// event or stream cannot be opened there.
type Place struct {
	AggregateType string
	AggregateID   string
	EventID       uuid.UUID
	EventType     string
	EventVersion  int
	Field         string // the name of the JSON member
}

// size is how many bytes appendTo appends.
func (p *Place) size() int {
	return len(valueLabel) + 2*16 + 8 + 4*8 + len(p.AggregateType) + len(p.AggregateID) + len(p.EventType) + len(p.Field)
}

// valueLabel keeps what is authenticated with a value apart from all else that a key may authenticate.
const valueLabel = "eventmap value\x00"

// appendTo appends the place as additional data of an AEAD. Each part has its length before it, so that no two places
// have the same data.
func (p *Place) appendTo(data []byte, key uuid.UUID) []byte {
	data = append(data, valueLabel...)
	data = append(data, key[:]...)
	data = append(data, p.EventID[:]...)
	data = binary.BigEndian.AppendUint64(data, uint64(p.EventVersion))
	for _, part := range [...]string{p.AggregateType, p.AggregateID, p.EventType, p.Field} {
		data = appendText(data, part)
	}
	return data
}

// appendText appends a text with its length before it.
func appendText(data []byte, text string) []byte {
	data = binary.BigEndian.AppendUint64(data, uint64(len(text)))
	return append(data, text...)
}
