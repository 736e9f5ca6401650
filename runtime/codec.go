package runtime

import (
	"bytes"
	"encoding/json"
	"errors"
)

// A Codec turns events into payloads and back. It must be safe for concurrent use.
type Codec interface {
	// Marshal encodes the event that v points to.
	Marshal(v any) ([]byte, error)
	// Unmarshal decodes data into the zero event that v points to. It does not keep data.
	Unmarshal(data []byte, v any) error
}

// JSONCodec is the default [Codec]: encoding/json. It refuses a payload of null, which encoding/json takes for a struct
// left as it is and which would read as an event full of zeros.
type JSONCodec struct{}

// Marshal returns the JSON of what v points to. Methods on the pointer are used.
func (JSONCodec) Marshal(v any) ([]byte, error) { return json.Marshal(v) }

// Unmarshal parses data into v.
func (JSONCodec) Unmarshal(data []byte, v any) error {
	if len(data) <= 16 && bytes.Equal(bytes.TrimSpace(data), []byte("null")) {
		return errors.New("payload is null")
	}
	return json.Unmarshal(data, v)
}

// defaultCodec is the codec where no option sets one. It is JSONCodec, and lets generated code read and write what that would.
type defaultCodec struct{ JSONCodec }

// AllowsGenerated tells package mapping that generated code may take the codec's place.
func (defaultCodec) AllowsGenerated() {}
