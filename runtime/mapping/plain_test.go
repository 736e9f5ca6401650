package mapping_test

import (
	"errors"
	"testing"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/mapping"
	"github.com/eventmap/eventmap/runtime/plainjson"
)

// fingerprint is that of the type opened.
const fingerprint = "6381dc319713dd41"

// Generated code takes the place of the default codec, and of no codec that somebody has set.
func TestWriter_isForTheDefaultCodec(t *testing.T) {
	t.Parallel()
	same, changed := plainjson.TypeOf[opened](fingerprint), plainjson.TypeOf[opened]("0")
	for _, tt := range []struct {
		name string
		opts []runtime.Option
		want bool
	}{
		{"default", nil, true},
		{"JSONCodec", []runtime.Option{runtime.WithCodec(runtime.JSONCodec{})}, false},
		{"another", []runtime.Option{runtime.WithCodec(broken{})}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			encoder := mapping.NewEncoder(mapping.NewSettings(tt.opts...), "Account", "1")
			if got := mapping.Writer(encoder, "Account", &opened{}, same) != nil; got != tt.want {
				t.Errorf("there is a writer: %t", got)
			}
			if mapping.Writer[opened](encoder, "Account", nil, same) != nil || mapping.Writer(encoder, "Order", &opened{}, same) != nil {
				t.Error("there is a writer for what the encoder does not take")
			}
			codec := mapping.CodecOf(tt.opts...)
			if _, got := mapping.Reader(codec, stored("{}"), same); got != tt.want {
				t.Errorf("there is a reader: %t", got)
			}
			_, got := mapping.Reader(codec, stored("{}"), changed)
			if got || mapping.Writer(encoder, "Account", &opened{}, changed) != nil {
				t.Error("there is a reader or a writer for a type that has changed")
			}
		})
	}
}

// What is written counts among the events, and what is not plain is encoded in its place.
func TestEncoder_countsWhatIsWritten(t *testing.T) {
	t.Parallel()
	encoder := mapping.NewEncoder(mapping.NewSettings(fixed()...), "Account", "1")
	w := mapping.Writer(encoder, "Account", &opened{}, plainjson.TypeOf[opened](fingerprint))
	w.Raw(`{"name":"a"}`)
	first, ok := encoder.Written("Opened", 2)
	if !ok || string(first.Payload) != `{"name":"a"}` || first.AggregateID != "1" || first.EventID != ids[0] || first.EventVersion != 2 {
		t.Errorf("first = %+v, %t", first, ok)
	}
	w = mapping.Writer(encoder, "Account", &opened{}, plainjson.TypeOf[opened](fingerprint))
	w.Value(func() {})
	if _, ok := encoder.Written("Opened", 2); ok {
		t.Error("what cannot be written counts as written")
	}
	second, err := mapping.Encode(encoder, "Account", "Opened", 2, mapping.Copy(&opened{"b"}))
	if err != nil || string(second.Payload) != `{"name":"b"}` || string(first.Payload) != `{"name":"a"}` {
		t.Errorf("second = %+v, %v", second, err)
	}
	_, err = mapping.Encode(encoder, "Account", "Opened", 2, mapping.Copy[opened](nil))
	if invalid, ok := errors.AsType[*runtime.InvalidEventError](err); !ok || invalid.Index != 2 {
		t.Errorf("err = %v, want one about event 2", err)
	}
}
