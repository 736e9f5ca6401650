package privacy

import (
	"maps"
	"sync"
	"time"

	"github.com/google/uuid"
)

// A cache holds keys for a time. It is safe for concurrent use.
type cache struct {
	ttl  time.Duration
	size int
	now  func() time.Time

	mu        sync.RWMutex
	byID      map[uuid.UUID]cached
	bySubject map[string]uuid.UUID // the newest, if it is not erased
	barred    map[string]time.Time // subjects whose keys are not cached until then
	swept     int                  // how many were barred when those whose time is over were last dropped
}

type cached struct {
	key     *key
	expires time.Time
}

// isDue reports whether a time has come, by either clock that Go's times may hold: that of the wall can be set back, and the
// monotonic one may stand still while the machine sleeps.
func isDue(at, now time.Time) bool {
	return !now.Before(at) || !now.Round(0).Before(at.Round(0))
}

func newCache(ttl time.Duration, size int, now func() time.Time) *cache {
	return &cache{
		ttl: ttl, size: size, now: now,
		byID: make(map[uuid.UUID]cached), bySubject: make(map[string]uuid.UUID), barred: make(map[string]time.Time),
	}
}

// ofSubjects puts the keys of subjects into the ring and returns the subjects it has none for.
func (c *cache) ofSubjects(ring *Ring, subjects []string) (missing []string) {
	now := c.now()
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, subject := range subjects {
		if _, again := ring.bySubject[subject]; again {
			continue
		}
		if id, ok := c.bySubject[subject]; ok {
			if entry := c.byID[id]; !isDue(entry.expires, now) {
				ring.add(entry.key, true)
				continue
			}
		}
		ring.bySubject[subject] = nil // asked for
		missing = append(missing, subject)
	}
	return missing
}

// ofIDs puts the keys into the ring and returns the IDs it has none for.
func (c *cache) ofIDs(ring *Ring, ids []uuid.UUID) (missing []uuid.UUID) {
	now := c.now()
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, id := range ids {
		if _, again := ring.byID[id]; again {
			continue
		}
		if entry, ok := c.byID[id]; ok && !isDue(entry.expires, now) {
			ring.add(entry.key, false)
			continue
		}
		ring.byID[id] = nil // asked for
		missing = append(missing, id)
	}
	return missing
}

// ofID puts the key into the ring and reports whether it has it.
func (c *cache) ofID(ring *Ring, id uuid.UUID) bool {
	now := c.now()
	c.mu.RLock()
	defer c.mu.RUnlock()
	entry, ok := c.byID[id]
	if !ok || isDue(entry.expires, now) {
		return false
	}
	ring.add(entry.key, false)
	return true
}

// put keeps a key that was asked for at a time. newest says that no key of its subject is newer.
func (c *cache) put(k *key, asked time.Time, newest bool) {
	expires := asked.Add(c.ttl)
	now := c.now()
	if c.size < 1 || isDue(expires, now) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if until, ok := c.barred[k.subject]; ok && now.Before(until) && !k.isErased() {
		return
	}
	if _, known := c.byID[k.id]; !known && len(c.byID) >= c.size {
		c.makeRoom(now)
	}
	c.byID[k.id] = cached{k, expires}
	switch {
	case k.isErased() && c.bySubject[k.subject] == k.id:
		delete(c.bySubject, k.subject)
	case newest && !k.isErased():
		c.bySubject[k.subject] = k.id
	}
}

// makeRoom drops what has expired and, if that is little, some of the rest: an eighth, so that it is not done each time.
func (c *cache) makeRoom(now time.Time) {
	for id, entry := range c.byID {
		if isDue(entry.expires, now) {
			c.remove(id)
		}
	}
	for id := range c.byID {
		if len(c.byID) <= c.size-max(c.size/8, 1) {
			break
		}
		c.remove(id)
	}
}

// bar drops the keys of subjects and keeps them out for as long as one that is read now could stay.
func (c *cache) bar(subjects []string) {
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.barred) > 2*c.swept { // not each time, for many may be forgotten one by one
		maps.DeleteFunc(c.barred, func(_ string, until time.Time) bool { return !now.Before(until) })
		c.swept = max(len(c.barred), minSwept)
	}
	its := make(map[string]bool, len(subjects))
	for _, subject := range subjects {
		c.barred[subject] = now.Add(c.ttl)
		its[subject] = true
	}
	for id, entry := range c.byID {
		if its[entry.key.subject] {
			c.remove(id)
		}
	}
}

// minSwept is how many subjects may be barred before it is worth while to look for those whose time is over.
const minSwept = 64

// remove drops a key.
func (c *cache) remove(id uuid.UUID) {
	k := c.byID[id].key
	delete(c.byID, id)
	if c.bySubject[k.subject] == id {
		delete(c.bySubject, k.subject)
	}
}
