package consumer

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// defaultStallAfter is how long the frontier may stand still before that is a trouble.
const defaultStallAfter = 30 * time.Second

// maxHolders is how many of the transactions that hold the frontier back are told.
const maxHolders = 5

// A StalledError says that consumers cannot read to the end of the log: a transaction that has appended is still open, and
// has been for longer than [Config.StallAfter]. No event is lost; events behind it are handled once it ends.
type StalledError struct {
	Frontier int64    // how far the log can be read
	LogEnd   int64    // how far it goes, committed or not
	Holders  []Holder // whose transactions these are, the one that holds it back the most first; none if it is not known
}

// Error says how far the log can be read, who is in the way, and what ends it.
func (e *StalledError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the log can be read to position %d of %d only", e.Frontier, e.LogEnd)
	for i, h := range e.Holders {
		if i == 0 {
			b.WriteString(": open transactions hold it back: ")
		} else {
			b.WriteString("; ")
		}
		b.WriteString(h.String())
	}
	if len(e.Holders) > 0 && e.Holders[0].PID != 0 {
		fmt.Fprintf(&b, "; find out why it does not end, or end it: select pg_terminate_backend(%d)", e.Holders[0].PID)
	}
	return b.String()
}

// String says whose transaction it is.
func (h Holder) String() string {
	var parts []string
	if h.PID != 0 {
		parts = append(parts, fmt.Sprintf("process %d", h.PID))
	}
	if h.Application != "" {
		parts = append(parts, fmt.Sprintf("application %q", h.Application))
	}
	if h.User != "" {
		parts = append(parts, fmt.Sprintf("role %q", h.User))
	}
	if h.State != "" {
		parts = append(parts, h.State)
	}
	if !h.Since.IsZero() {
		parts = append(parts, "since "+h.Since.UTC().Format(time.RFC3339))
	}
	return strings.Join(parts, ", ")
}

// A stall notices that the frontier stands still before the end of the log.
type stall struct {
	frontier int64
	since    time.Time // when it was first seen there; zero: the log can be read to its end
	told     time.Time
}

// look takes in what a poll has seen and reports whether it is time to tell that the log is stalled: after a while, and then
// as often.
func (s *stall) look(log LogState, now time.Time, after time.Duration) (tell bool) {
	switch {
	case after < 0 || log.Frontier >= log.Drawn:
		*s = stall{}
	case s.since.IsZero() || log.Frontier != s.frontier:
		*s = stall{frontier: log.Frontier, since: now, told: now}
	case now.Sub(s.told) >= after:
		s.told = now
		return true
	}
	return false
}

// stalled returns what a poll that finds the log stalled has seen, with those who cause it.
func (r *Runner[Tx]) stalled(ctx context.Context, log LogState) *StalledError {
	holders, err := r.db.Holders(ctx, maxHolders)
	if err != nil {
		holders = nil // that it is stalled matters more than by whom
	}
	return &StalledError{Frontier: log.Frontier, LogEnd: log.Drawn, Holders: holders}
}

// longStalled returns a [*StalledError] if the holder of the frontier has held it for long, and nil if not.
func (s *Status) longStalled(after time.Duration, now time.Time) error {
	if after < 0 || s.Frontier >= s.LogEnd || len(s.Holders) == 0 {
		return nil
	}
	if since := s.Holders[0].Since; since.IsZero() || now.Sub(since) < after {
		return nil
	}
	return &StalledError{Frontier: s.Frontier, LogEnd: s.LogEnd, Holders: s.Holders}
}
