package adopt

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/eventmap/eventmap/internal/model"
)

// fits reports whether a number is one of a shape.
func fits(s *model.Shape, number string) bool {
	bits := s.Bits
	if bits == 0 {
		bits = 64
	}
	if s.Kind == model.UintShape {
		_, err := strconv.ParseUint(number, 10, bits)
		return err == nil
	}
	_, err := strconv.ParseInt(number, 10, bits)
	return err == nil
}

// text compares a string with what its type reads.
func (c *comparison) text(s *model.Shape, text json.RawMessage, path string) {
	switch s.Kind {
	case model.TimeShape:
		var at time.Time
		if json.Unmarshal(text, &at) != nil {
			c.fail(path, "is no time as of RFC 3339")
		}
	case model.BytesShape:
		var data []byte
		if json.Unmarshal(text, &data) != nil {
			c.fail(path, "is no base64")
		}
	}
}
