package consumer

import (
	"math/rand/v2"
	"time"
)

// A Policy says what becomes of an event that could not be handled in the allowed number of attempts.
type Policy int

const (
	// Stop stops the segment of the event: no event is skipped. Nothing else stops. [Runner.Status] shows it, and
	// [Runner.Resume] ends it, most often after a new release.
	Stop Policy = iota
	// Park sets the event aside, with its error, and goes on. So that every stream stays in order, later events of the same
	// stream are set aside behind it, until [Runner.RetryParked] has handled them in order or [Runner.DropParked] has
	// dropped them. Other streams go on.
	Park
)

// String returns the name of the policy.
func (p Policy) String() string {
	if p == Park {
		return "park"
	}
	return "stop"
}

// An UnknownPolicy says what becomes of an event that a process does not know: one whose error is
// [runtime.ErrUnknownEvent]. During a rolling deployment, events of the new release meet processes of the old one.
type UnknownPolicy int

const (
	// WaitUnknown lets go of the segment and leaves it, for this process, until the next attempt after Backoff. A process
	// that knows the event takes the segment at once. No attempt is counted. [Runner.Status] shows it.
	WaitUnknown UnknownPolicy = iota
	// StopUnknown stops the segment, for all processes; see [Stop].
	StopUnknown
	// ParkUnknown parks the event, and later ones of its stream behind it; see [Park].
	ParkUnknown
)

// String returns the name of the policy.
func (p UnknownPolicy) String() string {
	switch p {
	case StopUnknown:
		return "stop"
	case ParkUnknown:
		return "park"
	}
	return "wait"
}

// What a Backoff is where it says nothing.
const (
	defaultFirst = 100 * time.Millisecond
	defaultMost  = time.Minute
)

// A Backoff says how long to wait after a failed attempt: First after the first, twice as long after each further one, but
// never longer than Most. A random part of up to half is taken off, so that what failed together is not tried together.
type Backoff struct {
	First time.Duration // 0: 100 ms
	Most  time.Duration // 0: a minute
}

// after returns how long to wait after so many failed attempts.
func (b Backoff) after(failures int) time.Duration {
	wait := b.First
	for range failures - 1 {
		if wait >= b.Most/2 {
			wait = b.Most
			break
		}
		wait *= 2
	}
	wait = min(wait, b.Most)
	return wait - rand.N(wait/2+1)
}
