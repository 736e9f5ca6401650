package console

import (
	"fmt"
	"time"

	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/inspect"
)

// How much the overview shows.
const (
	recentEvents   = 12
	maxCheckpoints = 2000
	rateBuckets    = 30
	rateSpan       = 30 * time.Minute
	// stalledAfter is how long a transaction may hold the frontier before that is shown as a problem.
	stalledAfter = 10 * time.Second
)

// An overviewPage is how everything is.
type overviewPage struct {
	Problems  []problem
	Frontier  inspect.Frontier
	Gap       int64 // positions between the frontier and the end
	Last      *eventRow
	Rate      rate
	Consumers []consumerRow
	Events    []eventRow
	More      bool // there are more consumers than are shown
}

// A problem is something that a person should look at.
type problem struct {
	Severe bool
	What   string
	Why    string // what is known of the cause, on one line
	Since  time.Time
	Link   string // where to look
	Do     string // what the link leads to
}

func (h *Handler) overview(r *request) (view, error) {
	ctx := r.Context()
	var p overviewPage
	var missing []string
	frontier, err := h.config.Inspector.Frontier(ctx)
	if err != nil {
		missing = append(missing, err.Error())
	}
	p.Frontier, p.Gap = frontier, frontier.Drawn-frontier.Frontier
	now := h.nowOf(frontier)

	page, err := h.config.Inspector.Events(ctx, inspect.EventQuery{Limit: recentEvents})
	if err != nil { // without the log there is nothing to show
		return view{}, err
	}
	p.Events = h.rows(page.Events, frontier.Frontier)
	if len(p.Events) > 0 {
		p.Last = &p.Events[0]
	}
	if p.Rate, err = h.rate(r, now); err != nil {
		missing = append(missing, err.Error())
	}
	checkpoints, err := h.config.Inspector.Checkpoints(ctx, inspect.CheckpointQuery{Limit: maxCheckpoints})
	if err != nil {
		missing = append(missing, err.Error())
	}
	counts, err := h.config.Inspector.CountParked(ctx)
	if err != nil {
		missing = append(missing, err.Error())
	}
	p.Consumers, p.More = h.consumerRows(checkpoints, counts, frontier, now), len(checkpoints) == maxCheckpoints
	p.Problems = h.stalls(frontier, now)
	for _, c := range p.Consumers {
		found, err := h.problemsOf(r, c)
		if err != nil {
			missing = append(missing, err.Error())
		}
		p.Problems = append(p.Problems, found...)
	}
	return view{template: "overview", title: "Overview", section: "overview", live: true, data: p, parts: missing}, nil
}

// nowOf returns the clock of the database, by which its times are to be read, or our own if it is not known.
func (h *Handler) nowOf(f inspect.Frontier) time.Time {
	if f.Now.IsZero() {
		return h.clock().UTC()
	}
	return f.Now
}

// stalls returns the transactions that have held the frontier for long.
func (h *Handler) stalls(f inspect.Frontier, now time.Time) []problem {
	if f.Drawn == f.Frontier || len(f.Holders) == 0 || now.Sub(f.Holders[0].Since) < stalledAfter {
		return nil
	}
	holder := f.Holders[0]
	return []problem{{
		Severe: true,
		What:   fmt.Sprintf("No consumer can read beyond position %s: the frontier is stalled", number(f.Frontier)),
		Why:    "An open transaction with an append holds it: " + describe(holder) + ".",
		Since:  holder.Since,
		Link:   "#frontier",
		Do:     "See who holds it",
	}}
}

// describe says which transaction it is.
func describe(h consumer.Holder) string { return h.String() }

// problemsOf returns what is wrong with a consumer.
func (h *Handler) problemsOf(r *request, c consumerRow) ([]problem, error) {
	var problems []problem
	add := func(p problem) {
		if p.Link == "" {
			p.Link, p.Do = link("consumer", "name", c.Name), "Open the consumer"
		}
		problems = append(problems, p)
	}
	switch w := c.Worst; c.State {
	case stateAhead:
		add(problem{
			Severe: true,
			What:   c.Name + " does not run: its checkpoint is ahead of the log",
			Why:    fmt.Sprintf("It is at position %s and the log ends at %s: the log was restored from an older backup, or this is another database.", number(w.Position), number(c.End)),
		})
	case stateStopped:
		add(problem{
			Severe: true,
			What:   fmt.Sprintf("%s is stopped at event %s", c.Name, number(w.FailedPosition)),
			Why:    fmt.Sprintf("After %d attempts: %s", w.Failures, clip(300, firstLine(w.LastError))),
			Since:  w.StoppedAt,
		})
	case stateRetrying:
		add(problem{
			What:  fmt.Sprintf("%s fails at event %s and tries again", c.Name, number(w.FailedPosition)),
			Why:   fmt.Sprintf("Attempt %d: %s", w.Failures, clip(300, firstLine(w.LastError))),
			Since: w.UpdatedAt,
		})
	case statePaused:
		add(problem{What: c.Name + " is paused", Why: clip(300, firstLine(w.LastError)), Since: w.StoppedAt})
	case stateLate:
		add(problem{
			What:  fmt.Sprintf("%s is %s positions behind", c.Name, number(c.Behind)),
			Why:   "It works, or no process drives it; see when its segments last moved.",
			Since: c.Oldest,
		})
	}
	if c.Parked == 0 {
		return problems, nil
	}
	p := problem{
		What: fmt.Sprintf("%s has parked %s", c.Name, events(c.Parked)),
		Link: link("parked", "consumer", c.Name),
		Do:   "See why, and retry",
	}
	first, err := h.config.Inspector.Parked(r.Context(), inspect.ParkedQuery{Consumer: c.Name, Limit: 1})
	if len(first) > 0 {
		p.Why, p.Since = clip(300, firstLine(first[0].Error)), first[0].ParkedAt
	}
	add(p)
	return problems, err
}

func events(n int) string {
	switch {
	case n == 1:
		return "1 event"
	case n >= inspect.MaxCount:
		return fmt.Sprintf("%s events or more", number(n))
	default:
		return number(n) + " events"
	}
}

// A rate is how many positions were drawn lately.
type rate struct {
	PerSecond float64 // over the last minute
	LastHour  int64
	Bars      []bar // one for each minute, the oldest first
	Most      int64 // of a bar
}

// A bar is a bar of the chart, in units of its view box.
type bar struct {
	X, Y, Height int
	Positions    int64
	Until        time.Time
}

// chartHeight is the height of the chart in its view box.
const chartHeight = 40

// rate returns how fast the log has grown, by the times that events carry.
func (h *Handler) rate(r *request, now time.Time) (rate, error) {
	times := []time.Time{now.Add(-time.Hour)}
	for n := range rateBuckets + 1 {
		times = append(times, now.Add(-rateSpan+time.Duration(n)*rateSpan/rateBuckets))
	}
	positions, err := h.config.Inspector.PositionsAt(r.Context(), times)
	if err != nil || len(positions) != len(times) {
		return rate{}, err
	}
	end := positions[len(positions)-1]
	result := rate{LastHour: end - positions[0], PerSecond: float64(end-positions[len(positions)-2]) / 60}
	for n := range rateBuckets {
		b := bar{X: 10 * n, Positions: max(positions[n+2]-positions[n+1], 0), Until: times[n+2]}
		result.Bars, result.Most = append(result.Bars, b), max(result.Most, b.Positions)
	}
	for n := range result.Bars {
		if b := &result.Bars[n]; b.Positions > 0 {
			b.Height = max(int(b.Positions*chartHeight/result.Most), 1)
			b.Y = chartHeight - b.Height
		}
	}
	return result, nil
}
