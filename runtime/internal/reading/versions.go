// Package reading is what every iterator of ours checks while it reads a stream, whatever its database.
package reading

import (
	"math"

	"github.com/eventmap/eventmap/runtime"
)

// Versions follows the versions that an iterator meets in one stream, and notices those that are missing.
type Versions struct {
	aggregateType, aggregateID string
	next, last, head           int64
	step                       int64 // 1, or -1 from the newest to the oldest
	left                       int64 // events that the limit still allows
	unchecked                  bool
}

// NewVersions returns what follows the versions that q selects of a stream whose head stood at head.
func NewVersions(aggregateType, aggregateID string, head int64, q runtime.StreamQuery) *Versions {
	first, last := max(q.FromVersion, 1), head
	if q.ToVersion > 0 {
		last = min(last, q.ToVersion)
	}
	v := &Versions{
		aggregateType: aggregateType, aggregateID: aggregateID, head: head,
		next: first, last: last, step: 1, left: int64(q.Limit), unchecked: q.AllowIncomplete,
	}
	if q.Limit == 0 {
		v.left = math.MaxInt64
	}
	if q.Backward {
		v.next, v.last, v.step = last, first, -1
	}
	return v
}

// Meet returns an [*runtime.IncompleteStreamError] unless version is the next one.
func (v *Versions) Meet(version int64) error {
	if version != v.next && !v.unchecked {
		return v.missing(version)
	}
	v.next, v.left = version+v.step, v.left-1
	return nil
}

// End returns an [*runtime.IncompleteStreamError] if the stream ended before the last version and the limit did.
func (v *Versions) End() error {
	if v.unchecked || v.left == 0 || (v.last-v.next)*v.step < 0 {
		return nil
	}
	return v.missing(0)
}

func (v *Versions) missing(instead int64) error {
	return &runtime.IncompleteStreamError{
		AggregateType: v.aggregateType, AggregateID: v.aggregateID, Missing: v.next, Instead: instead, Head: v.head,
	}
}
