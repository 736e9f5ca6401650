package torture

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime"
)

// An outcome is how the transaction of an event ended, as far as its writer was told.
type outcome int

const (
	acknowledged outcome = iota + 1 // committed
	rolledBack                      // by the writer, or by the server before the writer asked for a commit
	unknown                         // the commit was not answered
)

// A history is what the writers know.
type history struct {
	mu       sync.Mutex
	outcomes map[uuid.UUID]outcome
	at       map[uuid.UUID]time.Time // of the acknowledgement
	down     struct{ from, to time.Time }
}

func (h *history) note(o outcome, events []runtime.Event) {
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.outcomes == nil {
		h.outcomes, h.at = make(map[uuid.UUID]outcome), make(map[uuid.UUID]time.Time)
	}
	for i := range events {
		h.outcomes[events[i].EventID] = o
		if o == acknowledged {
			h.at[events[i].EventID] = now
		}
	}
}

// delay returns how long after its acknowledgement an event was seen. The time when there was no server does not count.
func (h *history) delay(s sighting) time.Duration {
	from, to := h.at[s.id], s.at
	if from.IsZero() {
		return 0
	}
	d := to.Sub(from)
	if begin, end := later(from, h.down.from), earlier(to, h.down.to); end.After(begin) {
		d -= end.Sub(begin)
	}
	return max(d, 0)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// A Report is what was counted.
type Report struct {
	Took      time.Duration
	Stored    int
	Readers   []ReaderReport
	Missing   int // acknowledged, and not stored
	Undead    int // rolled back, and stored
	Malformed int // streams with a gap, or a head that is not their last version, or positions that do not rise
	Unknown   int // commits without an answer that were not asked about again
}

// A ReaderReport is what was counted of one reader.
type ReaderReport struct {
	Name                 string
	Seen                 int
	Lost, Twice          int // events stored and not seen; seen again
	Inverted             int // seen after a later version of their stream, or a higher position
	Median, P99, Slowest time.Duration
}

// judge compares what was stored with what the writers were told and the readers have seen.
func judge(ctx context.Context, pool *pgxpool.Pool, h *history, readers []*reader, took time.Duration) (Report, error) {
	pool.Reset() // of what was terminated a moment ago
	rows, err := pool.Query(ctx, "select event_id, aggregate_id, aggregate_version, global_position from events order by aggregate_id, aggregate_version")
	if err != nil {
		return Report{}, err
	}
	defer rows.Close()
	stored := make(map[uuid.UUID]bool)
	heads := make(map[string]int64)
	positions := make(map[string]int64)
	malformed := make(map[string]bool)
	for rows.Next() {
		var s sighting
		if err := rows.Scan(&s.id, &s.stream, &s.version, &s.position); err != nil {
			return Report{}, err
		}
		stored[s.id] = true
		if s.version != heads[s.stream]+1 || s.position <= positions[s.stream] {
			malformed[s.stream] = true
		}
		heads[s.stream], positions[s.stream] = s.version, s.position
	}
	if err := rows.Err(); err != nil {
		return Report{}, err
	}
	rows, err = pool.Query(ctx, "select aggregate_id, aggregate_version from aggregate_heads")
	if err != nil {
		return Report{}, err
	}
	defer rows.Close()
	for rows.Next() {
		var stream string
		var version int64
		if err := rows.Scan(&stream, &version); err != nil {
			return Report{}, err
		}
		if heads[stream] != version {
			malformed[stream] = true
		}
	}
	if err := rows.Err(); err != nil {
		return Report{}, err
	}
	r := Report{Took: took, Stored: len(stored), Malformed: len(malformed)}
	for id, o := range h.outcomes {
		switch {
		case o == acknowledged && !stored[id]:
			r.Missing++
		case o == rolledBack && stored[id]:
			r.Undead++
		case o == unknown:
			r.Unknown++
		}
	}
	for _, reader := range readers {
		r.Readers = append(r.Readers, reader.judge(h, stored))
	}
	return r, nil
}

func (r *reader) judge(h *history, stored map[uuid.UUID]bool) ReaderReport {
	report := ReaderReport{Name: r.name}
	seen := make(map[uuid.UUID]bool)
	versions := make(map[string]int64)
	position := int64(0)
	var delays []time.Duration
	for _, s := range r.seen {
		if seen[s.id] {
			report.Twice++
			continue
		}
		seen[s.id] = true
		if s.version < versions[s.stream] || s.position < position {
			report.Inverted++
		}
		versions[s.stream], position = max(versions[s.stream], s.version), max(position, s.position)
		delays = append(delays, h.delay(s))
	}
	report.Seen = len(seen)
	for id := range stored {
		if !seen[id] {
			report.Lost++
		}
	}
	slices.Sort(delays)
	if n := len(delays); n > 0 {
		report.Median, report.P99, report.Slowest = delays[n/2], delays[n*99/100], delays[n-1]
	}
	return report
}

// add adds what was counted of another reader. Delays are those of the slowest.
func (r *ReaderReport) add(other ReaderReport) {
	r.Seen += other.Seen
	r.Lost += other.Lost
	r.Twice += other.Twice
	r.Inverted += other.Inverted
	r.Median, r.P99, r.Slowest = max(r.Median, other.Median), max(r.P99, other.P99), max(r.Slowest, other.Slowest)
}

// String returns the report as two tables.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d events stored in %s\n\n", r.Stored, r.Took.Round(time.Second))
	fmt.Fprintf(&b, "%-24s %8s %8s %8s %8s %10s %10s %10s\n", "reader", "seen", "lost", "twice", "inverted", "delay p50", "p99", "max")
	for _, x := range r.Readers {
		fmt.Fprintf(&b, "%-24s %8d %8d %8d %8d %10s %10s %10s\n", x.Name, x.Seen, x.Lost, x.Twice, x.Inverted,
			x.Median.Round(time.Millisecond), x.P99.Round(time.Millisecond), x.Slowest.Round(time.Millisecond))
	}
	fmt.Fprintf(&b, "\nappends: %d acknowledged but missing, %d present but rolled back, %d streams malformed, %d commits never answered\n",
		r.Missing, r.Undead, r.Malformed, r.Unknown)
	return b.String()
}
