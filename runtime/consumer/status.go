package consumer

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// maxLag is how many events are counted at most that a segment has yet to handle.
const maxLag = 10_000

// A Status is how a consumer stands.
type Status struct {
	Consumer string
	// Frontier is how far the log can be read. LogEnd is how far it goes: the highest position that an append has drawn,
	// committed or not. Holders are the open transactions that keep Frontier before LogEnd, the one that holds it back the
	// most first; there is at most a handful of them.
	Frontier, LogEnd int64
	Holders          []Holder
	Parked           int64           // events that are set aside
	Segments         []SegmentStatus // where there are many logs: those that matter most, at most 100
	// Logs is how it stands in all logs together, where there are many; zero where there is one. Then Frontier and LogEnd are the
	// sums of how far its logs are.
	Logs LogsStatus
	// Trouble is why this runner does not drive the consumer, until that is mended: [ErrCheckpointAhead], or
	// [ErrUnknownConsumer] if its checkpoints are gone. Else it is what went wrong when this runner last used the database
	// for the consumer, or an error of an event that this runner does not know and leaves to others, or a [*StalledError], or
	// nil.
	Trouble error
}

// A SegmentStatus is how one segment of a consumer stands.
type SegmentStatus struct {
	Checkpoint
	// Lag is how many events of the segment up to the frontier are not handled yet, and how long ago the first of them
	// happened. They are counted up to 10,000, and among the next 100,000 positions only, divided by the number of segments.
	Lag Lag
	// More reports whether there may be more events than were counted.
	More bool
}

// A SegmentState is what a segment of a consumer does.
type SegmentState string

// The states of a segment.
const (
	SegmentRunning  SegmentState = "running"
	SegmentRetrying SegmentState = "retrying" // its next event has failed and is tried again
	SegmentWaiting  SegmentState = "waiting"  // for a process that knows its next event; see [WaitUnknown]
	SegmentStopped  SegmentState = "stopped"  // by a policy, until [Runner.Resume]
	SegmentPaused   SegmentState = "paused"   // by [Runner.Pause], until [Runner.Resume]
)

// State returns what the segment does.
func (s SegmentStatus) State() SegmentState {
	switch {
	case !s.StoppedAt.IsZero() && s.Failures == 0:
		return SegmentPaused
	case !s.StoppedAt.IsZero():
		return SegmentStopped
	case s.Failures > 0:
		return SegmentRetrying
	case s.LastError != "":
		return SegmentWaiting
	}
	return SegmentRunning
}

// Stopped reports whether a segment is stopped.
func (s Status) Stopped() bool {
	if s.Logs.Stopped > 0 {
		return true
	}
	return slices.ContainsFunc(s.Segments, func(s SegmentStatus) bool { return !s.StoppedAt.IsZero() })
}

// Lag returns the events of all segments that are not handled yet, and how long ago the first of them happened. It is zero for a
// consumer that has never run, which has no segments yet.
func (s Status) Lag() Lag {
	var sum Lag
	for _, segment := range s.Segments {
		sum.Events += segment.Lag.Events
		sum.Age = max(sum.Age, segment.Lag.Age)
	}
	if s.Logs.Logs > 0 {
		sum.Events = s.Logs.Events
	}
	return sum
}

// Status returns how the consumers of the runner stand, in the order they were registered. One that has never run has no
// segments yet. It waits for nobody. It counts events, so ask every few seconds, not all the time; what it costs does not
// grow with the log.
func (r *Runner[Tx]) Status(ctx context.Context) ([]Status, error) {
	log, err := r.poll(ctx)
	if err != nil {
		return nil, fmt.Errorf("status of consumers: %w", err)
	}
	var holders []Holder
	if log.Frontier < log.Drawn {
		if holders, err = r.db.Holders(ctx, maxHolders); err != nil {
			return nil, fmt.Errorf("status of consumers: %w", err)
		}
	}
	statuses := make([]Status, len(r.consumers))
	for i, c := range r.consumers {
		err := r.in(ctx, func(tx Tx) (err error) {
			statuses[i], err = r.status(ctx, tx, c, log.Frontier)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("status of consumer %s: %w", c.name, err)
		}
		s := &statuses[i]
		s.LogEnd, s.Holders = log.Drawn, holders
		if state, ok := log.of(c.name); ok && r.logs != nil {
			s.Frontier, s.LogEnd = state.End, state.End
		}
		if s.Trouble == nil {
			s.Trouble = s.longStalled(r.config.StallAfter, time.Now())
		}
	}
	return statuses, nil
}

// More reports whether there may be more events that are not handled yet than [Status.Lag] returns.
func (s Status) More() bool {
	return slices.ContainsFunc(s.Segments, func(s SegmentStatus) bool { return s.More })
}

func (r *Runner[Tx]) status(ctx context.Context, tx Tx, c *registered[Tx], frontier int64) (Status, error) {
	s := Status{Consumer: c.name, Frontier: frontier, Trouble: c.health.trouble()}
	checkpoints, err := r.standing(ctx, tx, c, &s)
	if err != nil {
		return Status{}, err
	}
	if s.Trouble == nil {
		s.Trouble = checkAstray(checkpoints)
	}
	if s.Trouble == nil {
		s.Trouble = c.waits.still(checkpoints)
	}
	for _, checkpoint := range checkpoints {
		if r.logs != nil {
			frontier = checkpoint.LogEnd
		}
		through := min(frontier, checkpoint.Position+scanned/int64(checkpoint.Segments))
		lag, err := r.db.Lag(ctx, tx, Selection{
			Consumer:       c.name,
			Log:            checkpoint.Log,
			After:          checkpoint.Position,
			Through:        through,
			Limit:          maxLag,
			AggregateTypes: c.types,
			Segment:        checkpoint.Segment,
			Segments:       checkpoint.Segments,
			Handled:        checkpoint.Handled,
		})
		if err != nil {
			return Status{}, err
		}
		s.Segments = append(s.Segments, SegmentStatus{
			Checkpoint: checkpoint,
			Lag:        lag,
			More:       lag.Events == maxLag || through < frontier,
		})
	}
	s.Parked, err = r.db.CountParked(ctx, tx, c.name)
	return s, err
}

// standing returns the checkpoints of a consumer, or, of many logs, those that matter most, and completes the status.
func (r *Runner[Tx]) standing(ctx context.Context, tx Tx, c *registered[Tx], s *Status) (checkpoints []Checkpoint, err error) {
	if r.logs == nil {
		return r.db.Checkpoints(ctx, tx, c.name, false)
	}
	s.Logs, checkpoints, err = r.logs.Standing(ctx, tx, c.name, maxLogStatus)
	return checkpoints, err
}

// A Progress is how far a consumer has come on its way to where the log ended when [Runner.RunUntilCaughtUp] was called.
type Progress struct {
	Consumer string
	Position int64   // of the segment that is furthest behind
	Frontier int64   // how far the log can be read now
	Target   int64   // where the log ended
	Rate     float64 // positions a second since the call; 0 where none was seen to be handled
	// Left is how long the rest takes at that rate, 0 if there is no rate yet.
	Left time.Duration
}

// Done reports whether the consumer has arrived.
func (p Progress) Done() bool { return p.Position >= p.Target }
