package runtime

import "strconv"

// An ExpectedVersion says which version a stream must be at for an append to succeed. The zero value is [NoStream], the
// strictest. Values can be compared with ==.
type ExpectedVersion struct {
	kind    expectation
	version int64
}

type expectation uint8

const (
	exact expectation = iota
	anyVersion
	streamExists
)

// Any expects nothing: concurrent appends all succeed, in some order.
func Any() ExpectedVersion { return ExpectedVersion{kind: anyVersion} }

// NoStream expects that the stream has no events yet. It equals Exact(0).
func NoStream() ExpectedVersion { return ExpectedVersion{} }

// StreamExists expects at least one event.
func StreamExists() ExpectedVersion { return ExpectedVersion{kind: streamExists} }

// Exact expects the stream to be at version, which is its number of events. A negative version is refused when it is
// used: the append returns an [InvalidEventError].
func Exact(version int64) ExpectedVersion { return ExpectedVersion{version: version} }

// IsAny reports whether v is [Any].
func (v ExpectedVersion) IsAny() bool { return v.kind == anyVersion }

// IsNoStream reports whether v is [NoStream].
func (v ExpectedVersion) IsNoStream() bool { return v == NoStream() }

// IsStreamExists reports whether v is [StreamExists].
func (v ExpectedVersion) IsStreamExists() bool { return v.kind == streamExists }

// IsExact reports whether v names one version other than 0.
func (v ExpectedVersion) IsExact() bool { return v.kind == exact && v.version != 0 }

// Value returns the version of [Exact], and 0 for all others.
func (v ExpectedVersion) Value() int64 { return v.version }

// Matches reports whether a stream at version actual, 0 if it does not exist, meets the expectation.
func (v ExpectedVersion) Matches(actual int64) bool {
	switch v.kind {
	case anyVersion:
		return true
	case streamExists:
		return actual > 0
	default:
		return actual == v.version
	}
}

// String returns the expectation as messages name it.
func (v ExpectedVersion) String() string {
	switch {
	case v.IsAny():
		return "any version"
	case v.IsStreamExists():
		return "an existing stream"
	case v.IsNoStream():
		return "no stream"
	default:
		return "version " + strconv.FormatInt(v.version, 10)
	}
}
