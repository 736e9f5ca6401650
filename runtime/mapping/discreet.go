package mapping

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/eventmap/eventmap/runtime"
)

// A discreet codec is one whose errors quote no value, for events with personal data.
type discreet struct{ runtime.Codec }

// Discreet returns the settings with a codec whose errors quote no value: what is personal in an event must not come into a
// log by them.
func Discreet(s runtime.Settings) runtime.Settings {
	return With(s, runtime.WithCodec(discreet{plainly(s.Codec())}))
}

// settings returns the settings with the options of a call.
func (p Personal[Tx]) settings(s runtime.Settings, opts []runtime.ExecuteOption) runtime.Settings {
	s = With(s, opts...)
	if p.events != nil {
		return Discreet(s)
	}
	return s
}

// DiscreetCodecOf is [CodecOf] for a codec whose errors quote no value.
func DiscreetCodecOf(opts ...runtime.Option) runtime.Codec { return discreet{CodecOf(opts...)} }

// plainly returns the codec that lies within a discreet one.
func plainly(c runtime.Codec) runtime.Codec {
	if d, ok := c.(discreet); ok {
		return d.Codec
	}
	return c
}

func (d discreet) Marshal(v any) ([]byte, error) {
	data, err := d.Codec.Marshal(v)
	if err != nil {
		return nil, withhold(err)
	}
	return data, nil
}

func (d discreet) Unmarshal(data []byte, v any) error { return withhold(d.Codec.Unmarshal(data, v)) }

// withhold returns an error that says of err what quotes no value.
func withhold(err error) error {
	if err == nil {
		return nil
	}
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		member, _, _ := strings.Cut(kind.Field, ".") // what follows may be a key of a map, which is a value
		return fmt.Errorf("member %q does not fit: something in it is no %v (what it holds is withheld, for the event has personal data)", member, kind.Type)
	}
	return fmt.Errorf("a value does not fit its type (%T; what it says is withheld, for the event has personal data)", err)
}
