package mapping

import "github.com/eventmap/eventmap/runtime"

// NewSettings returns the defaults with the options applied in order; of two that set the same thing the later holds.
func NewSettings(opts ...runtime.Option) runtime.Settings { return With(runtime.Settings{}, opts...) }

// With returns a copy of s with the options applied over it.
func With[O runtime.Option](s runtime.Settings, opts ...O) runtime.Settings {
	for _, o := range opts {
		s = s.With(o)
	}
	return s
}

// CodecOf returns the codec that the options set, or the default one.
func CodecOf(opts ...runtime.Option) runtime.Codec {
	s := NewSettings(opts...)
	return s.Codec()
}

// CheckVersion returns a [*runtime.ConflictError] if the settings ask for another version of the stream than the given one.
func CheckVersion(s runtime.Settings, aggregateType, aggregateID string, version int64) error {
	if expected := s.Expected(); !expected.Matches(version) {
		return &runtime.ConflictError{AggregateType: aggregateType, AggregateID: aggregateID, Expected: expected, Actual: version}
	}
	return nil
}
