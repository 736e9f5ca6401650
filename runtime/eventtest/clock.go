package eventtest

import (
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
)

// A Clock is a clock that stands still until it is told to go on, for [runtime.WithClock]. It is safe for concurrent use.
//
//	clock := eventtest.NewClock(time.Date(2026, time.March, 1, 9, 0, 0, 0, time.UTC))
//	orders := shopstore.NewOrderStore(store, runtime.WithClock(clock.Now))
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that stands at now.
func NewClock(now time.Time) *Clock { return &Clock{now: now} }

// Now returns what the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance puts the clock forward, or back if d is negative.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// IDs returns a source of event IDs for [runtime.WithEventID]: the same for the same seed, in the same order, and others
// for every other seed. A command that is repeated with the same IDs is stored once; an application makes them from its
// requests in the same way. It is safe for concurrent use.
func IDs(seed string) func() uuid.UUID {
	var mu sync.Mutex
	count := 0
	return func() uuid.UUID {
		mu.Lock()
		defer mu.Unlock()
		count++
		return uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "%s#%d", seed, count))
	}
}
