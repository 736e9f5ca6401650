package consumer

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
)

// MaxSegments is how many segments a consumer can have.
const MaxSegments = 1024

// Segment returns which of so many segments, from 0, the streams of an aggregate ID live in: the first four bytes of the
// SHA-256 of the ID, as an unsigned big-endian number, modulo segments. A database computes the same; it never changes.
func Segment(aggregateID string, segments int) int {
	sum := sha256.Sum256([]byte(aggregateID))
	return int(binary.BigEndian.Uint32(sum[:4]) % uint32(segments))
}

// resized returns the checkpoints of a consumer that is to have n segments from now on. The new segments begin at the
// lowest position of the old ones and skip what these have handled.
//
// That loses nothing and handles nothing twice: an event at position q that lives in the old segment s is handled already
// if and only if q <= position[s]. All of those are either at or below the lowest position, or skipped by Handled; no
// other event is. The rule needs the old positions to be exact, which they are not for a segment that itself skips.
// Hence the error: [ErrResizing] until every segment has passed what it skips.
func resized(old []Checkpoint, n int) ([]Checkpoint, error) {
	positions := make([]int64, len(old))
	for i, c := range old {
		if c.Handled != nil {
			return nil, fmt.Errorf("%w: segment %d is at position %d of %d", ErrResizing, i, c.Position, slices.Max(c.Handled))
		}
		positions[i] = c.Position
	}
	lowest := slices.Min(positions)
	var handled []int64
	if slices.Max(positions) > lowest {
		handled = positions
	}
	resized := make([]Checkpoint, n)
	for i := range resized {
		resized[i] = Checkpoint{Consumer: old[0].Consumer, Segment: i, Segments: n, Position: lowest, Handled: handled, ReplayUntil: old[0].ReplayUntil}
	}
	return resized, nil
}

// Selects reports whether an event of the aggregate ID at the position is in the selection, but for its limit and its
// aggregate types. It is for databases that cannot compute the segment, and says in Go what others do in SQL.
func (s *Selection) Selects(aggregateID string, position int64) bool {
	return position > s.After && position <= s.Through &&
		(s.Segments == 1 || Segment(aggregateID, s.Segments) == s.Segment) &&
		(s.Handled == nil || position > s.Handled[Segment(aggregateID, len(s.Handled))])
}
