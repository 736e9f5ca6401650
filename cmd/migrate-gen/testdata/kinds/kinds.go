// Package kinds holds an event with a field of every kind that a view has a column for.
package kinds

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// Amount is an object within an event.
type Amount struct {
	Cents    int64  `json:"cents"`
	Currency string `json:"currency"` //eventmap:index
}

// Kept has everything; it isn't small.
//
//eventmap:event version=2
type Kept struct {
	Text       string            `json:"text"` // It's a text.
	Quotes     string            `json:"a-b.C d"`
	IsTrue     bool              `json:"isTrue"`
	Small      int8              `json:"small"`
	Medium     int32             `json:"medium"`
	Large      int64             `json:"large"` //eventmap:index
	Unsigned   uint64            `json:"unsigned"`
	Single     float32           `json:"single"`
	Double     float64           `json:"double"`
	Number     json.Number       `json:"number"`
	Bytes      []byte            `json:"bytes"`
	When       time.Time         `json:"when"` //eventmap:index
	ID         uuid.UUID         `json:"id"`
	Amount     Amount            `json:"amount"`
	Amounts    []Amount          `json:"amounts"`
	Labels     map[string]string `json:"labels"`
	Raw        json.RawMessage   `json:"raw"`
	InString   int64             `json:"inString,string"`
	TextTwice  string            `json:"textTwice,string"`
	Maybe      *int              `json:"maybe"`
	MaybeTime  *time.Time        `json:"maybeTime,omitempty"`
	MaybeThing *Amount           `json:"maybeThing"`
	CreatedAt  string            `json:"createdAt"`
	SKUCode    string
}
