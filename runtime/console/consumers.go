package console

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/inspect"
)

// A state is how a consumer or a segment is, the worst first.
type state int

const (
	stateAhead state = iota
	stateStopped
	stateRetrying
	statePaused
	stateLate
	stateBehind
	stateOK
)

// String returns the word for a state.
func (s state) String() string {
	return [...]string{"ahead of the log", "stopped", "retrying", "paused", "late", "catching up", "up to date"}[s]
}

// Class returns the class of the style sheet for a state.
func (s state) Class() string {
	return [...]string{"bad", "bad", "warn", "idle", "warn", "ok", "ok"}[s]
}

// A consumerRow is a consumer in a list.
type consumerRow struct {
	Name     string
	State    state
	Worst    inspect.Checkpoint // the segment that State is about
	Segments []segmentRow
	Position int64 // of the segment that is furthest behind
	End      int64 // of the log
	Behind   int64 // positions between Position and the frontier
	Oldest   time.Time
	Parked   int
	Acts     bool // this program can act on it
	Resets   bool
	Resizing bool
}

// A segmentRow is a segment in a list.
type segmentRow struct {
	inspect.Checkpoint
	State  state
	Behind int64
}

// consumerRows gathers checkpoints, which are in the order of consumers, by consumer.
func (h *Handler) consumerRows(checkpoints []inspect.Checkpoint, parked map[string]int, f inspect.Frontier, now time.Time) []consumerRow {
	var rows []consumerRow
	seen := make(map[string]bool)
	for _, c := range checkpoints {
		if len(rows) == 0 || rows[len(rows)-1].Name != c.Consumer {
			seen[c.Consumer] = true
			rows = append(rows, h.newConsumerRow(c.Consumer, parked[c.Consumer], f))
		}
		rows[len(rows)-1].add(c, f, now, h.config.Late)
	}
	for _, o := range h.config.Operators {
		for _, name := range o.Names() {
			if !seen[name] {
				seen[name] = true
				rows = append(rows, h.newConsumerRow(name, parked[name], f))
			}
		}
	}
	slices.SortStableFunc(rows, func(a, b consumerRow) int { return strings.Compare(a.Name, b.Name) })
	return rows
}

func (h *Handler) newConsumerRow(name string, parked int, f inspect.Frontier) consumerRow {
	o := h.operatorOf(name)
	return consumerRow{
		Name:   name,
		State:  stateOK,
		End:    f.Drawn,
		Parked: parked,
		Acts:   o != nil,
		Resets: o != nil && o.Resets(name),
	}
}

// add adds a segment.
func (c *consumerRow) add(checkpoint inspect.Checkpoint, f inspect.Frontier, now time.Time, late time.Duration) {
	s := segmentRow{Checkpoint: checkpoint, Behind: max(f.Frontier-checkpoint.Position, 0)}
	s.State = stateOf(s, f, now, late)
	if len(c.Segments) == 0 || s.State < c.State {
		c.State, c.Worst = s.State, checkpoint
	}
	if len(c.Segments) == 0 || s.Position < c.Position {
		c.Position = s.Position
	}
	c.Behind = max(c.Behind, s.Behind)
	if s.Behind > 0 && !s.Oldest.IsZero() && (c.Oldest.IsZero() || s.Oldest.Before(c.Oldest)) {
		c.Oldest = s.Oldest
	}
	c.Resizing = c.Resizing || s.Handled != nil
	c.Segments = append(c.Segments, s)
}

// stateOf returns how a segment is.
func stateOf(s segmentRow, f inspect.Frontier, now time.Time, late time.Duration) state {
	switch {
	case !f.Now.IsZero() && s.Position > f.Drawn:
		return stateAhead
	case !s.StoppedAt.IsZero() && s.Failures == 0:
		return statePaused
	case !s.StoppedAt.IsZero():
		return stateStopped
	case s.Failures > 0:
		return stateRetrying
	case s.Behind > 0 && !s.Oldest.IsZero() && now.Sub(s.Oldest) > late:
		return stateLate
	case s.Behind > 0:
		return stateBehind
	}
	return stateOK
}

// A consumersPage is all consumers.
type consumersPage struct {
	Frontier  inspect.Frontier
	Consumers []consumerRow
	More      bool
}

func (h *Handler) consumers(r *request) (view, error) {
	checkpoints, err := h.config.Inspector.Checkpoints(r.Context(), inspect.CheckpointQuery{Limit: maxCheckpoints})
	if err != nil {
		return view{}, err
	}
	var missing []string
	frontier, err := h.config.Inspector.Frontier(r.Context())
	if err != nil {
		missing = append(missing, err.Error())
	}
	counts, err := h.config.Inspector.CountParked(r.Context())
	if err != nil {
		missing = append(missing, err.Error())
	}
	return view{template: "consumers", title: "Consumers", section: "consumers", live: true, parts: missing, data: consumersPage{
		Frontier:  frontier,
		Consumers: h.consumerRows(checkpoints, counts, frontier, h.nowOf(frontier)),
		More:      len(checkpoints) == maxCheckpoints,
	}}, nil
}

// A consumerPage is one consumer.
type consumerPage struct {
	consumerRow
	Frontier    inspect.Frontier
	First       []inspect.Parked // of the parked events
	MaxSegments int
	Pausable    bool
	Resumable   bool
}

func (h *Handler) consumer(r *request) (view, error) {
	name := r.param("name")
	checkpoints, err := h.config.Inspector.Checkpoints(r.Context(), inspect.CheckpointQuery{Consumer: name, Limit: consumer.MaxSegments})
	if err != nil {
		return view{}, err
	}
	if name == "" || len(checkpoints) == 0 && h.operatorOf(name) == nil {
		return view{}, fmt.Errorf("no consumer %q has a checkpoint, or ever ran: %w", clip(80, name), errNotFound)
	}
	var missing []string
	frontier, err := h.config.Inspector.Frontier(r.Context())
	if err != nil {
		missing = append(missing, err.Error())
	}
	counts, err := h.config.Inspector.CountParked(r.Context())
	if err != nil {
		missing = append(missing, err.Error())
	}
	p := consumerPage{
		consumerRow: h.newConsumerRow(name, counts[name], frontier),
		Frontier:    frontier,
		MaxSegments: consumer.MaxSegments,
	}
	for _, c := range checkpoints {
		p.add(c, frontier, h.nowOf(frontier), h.config.Late)
		p.Resumable = p.Resumable || !c.StoppedAt.IsZero() || c.Failures > 0
		p.Pausable = p.Pausable || c.StoppedAt.IsZero()
	}
	if p.Parked > 0 {
		if p.First, err = h.config.Inspector.Parked(r.Context(), inspect.ParkedQuery{Consumer: name, Limit: 5}); err != nil {
			missing = append(missing, err.Error())
		}
	}
	return view{template: "consumer", title: clip(80, name), section: "consumers", live: true, forms: p.Acts && r.access.operates(), data: p, parts: missing}, nil
}
