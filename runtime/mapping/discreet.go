package mapping

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
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
		return nil, withhold(err, v)
	}
	return data, nil
}

func (d discreet) Unmarshal(data []byte, v any) error { return withhold(d.Codec.Unmarshal(data, v), v) }

// withhold returns an error that says of err, which is about v, what quotes no value.
func withhold(err error, v any) error {
	if err == nil {
		return nil
	}
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		member := memberOf(v, kind.Field)
		if member == "" {
			return fmt.Errorf("something in it is no %v (what it holds and where is withheld, for the event has personal data)", kind.Type)
		}
		return fmt.Errorf("member %q does not fit: something in it is no %v (what it holds is withheld, for the event has personal data)", member, kind.Type)
	}
	return fmt.Errorf("a value does not fit its type (%T; what it says is withheld, for the event has personal data)", err)
}

// memberOf returns the member of the struct that v points to which the path of an error begins with, or nothing. The rest of the
// path may be a key of a map, which is a value. So may all of it: a type that decodes itself may return an error of its own
// decoding.
func memberOf(v any, path string) string {
	t := reflect.TypeOf(v)
	if t == nil || t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct {
		return ""
	}
	for _, f := range reflect.VisibleFields(t.Elem()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			name = f.Name
		}
		if path == name || strings.HasPrefix(path, name+".") {
			return name
		}
	}
	return ""
}
