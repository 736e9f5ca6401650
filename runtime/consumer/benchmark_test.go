package consumer_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
)

// Figures are ratios inside one run: the sides take turns, each is the median of its rounds, and both are reported.
const rounds = 5

// median returns the middle one of the figures.
func median(figures []float64) float64 {
	slices.Sort(figures)
	return figures[len(figures)/2]
}

// compare runs both sides in turns and reports the median of each, in events a second, and their ratio.
func compare(b *testing.B, ours, theirs string, our, their func(round int) float64) {
	b.Helper()
	for b.Loop() {
		var a, z []float64
		for round := range rounds {
			a = append(a, our(round))
			z = append(z, their(round))
		}
		x, y := median(a), median(z)
		b.ReportMetric(x, ours)
		b.ReportMetric(y, theirs)
		b.ReportMetric(x/y, "ratio")
	}
	b.ReportMetric(0, "ns/op") // of no meaning here
}

// fill appends n events, fast.
func (e *env) fill(n int) {
	e.Helper()
	for range n / 500 {
		e.appendMany(500, 500)
	}
	e.exec("vacuum analyze events")
}

// A consumer with a handler that does nothing, against the least there is: read a batch, commit a checkpoint.
func BenchmarkRunner_trivialHandler(b *testing.B) {
	const n = 100_000
	e := newEnv(b)
	e.fill(n)
	e.exec(bareTable)
	nothing := func(context.Context, pgx.Tx, runtime.PersistedEvent) error { return nil }
	compare(b, "consumer-events/s", "bare-events/s",
		func(round int) float64 {
			r, err := consumer.New(e.db, consumer.Config{}, consumer.Registration[pgx.Tx]{
				Consumer: handler[pgx.Tx]{fmt.Sprintf("c%d", round), nothing},
			})
			if err != nil {
				b.Fatal(err)
			}
			began := time.Now()
			e.catchUp(r)
			took := time.Since(began)
			if err := r.Reset(b.Context(), fmt.Sprintf("c%d", round), nil); err != nil {
				b.Fatal(err)
			}
			return n / took.Seconds()
		},
		func(int) float64 {
			e.exec("truncate bare; insert into bare values (0, 0)")
			began := time.Now()
			for total, position := 0, int64(0); total < n; {
				got, last, err := bareBatch(b.Context(), e.pool, 0, 1, position, nothing)
				if err != nil || got == 0 {
					b.Fatalf("the bare loop read %d events of %d, %v", total, n, err)
				}
				total, position = total+got, last
			}
			return n / time.Since(began).Seconds()
		})
}

// Four segments over two processes against one worker. The handler writes a row for each event; once to a database on this
// machine, where all sides share the processors, and once to one that is as far away as in most data centres, where it waits
// for an answer. Beside them, in the same run, what the machine allows: the same loops written by hand, which know nothing
// of frontiers or failures.
func BenchmarkSegments_twoProcesses(b *testing.B) {
	for _, way := range []time.Duration{0, 500 * time.Microsecond} {
		b.Run(fmt.Sprintf("answer=%s", way), func(b *testing.B) {
			n := 20_000
			if way > 0 {
				n = 5_000
			}
			e := newEnv(b)
			e.fill(n)
			e.exec(bareTable)
			for b.Loop() {
				var shared, alone, bareShared, bareAlone []float64
				for range rounds {
					shared = append(shared, e.rate(n, 2, 4, way, false))
					alone = append(alone, e.rate(n, 1, 1, way, false))
					bareShared = append(bareShared, e.rate(n, 2, 4, way, true))
					bareAlone = append(bareAlone, e.rate(n, 1, 1, way, true))
				}
				ours, bare := median(shared)/median(alone), median(bareShared)/median(bareAlone)
				b.ReportMetric(median(shared), "shared-events/s")
				b.ReportMetric(median(alone), "alone-events/s")
				b.ReportMetric(ours, "ratio")
				b.ReportMetric(median(bareShared), "bare-shared-events/s")
				b.ReportMetric(median(bareAlone), "bare-alone-events/s")
				b.ReportMetric(bare, "bare-ratio")
				b.ReportMetric(ours/bare, "ratio-of-ratios")
			}
			b.ReportMetric(0, "ns/op") // of no meaning here
		})
	}
}

// rate returns how many events a second so many processes handle with so many segments, in consumers or in bare loops.
func (e *env) rate(n, processes, segments int, way time.Duration, bare bool) float64 {
	e.Helper()
	e.exec("truncate read_model, consumer_checkpoints, bare")
	var output bytes.Buffer
	each := segments / processes
	for i := range processes {
		plan := []string{fmt.Sprintf("%s=%d/%d/%d", steadyVariable, segments, each, way.Microseconds())}
		if bare {
			plan = append(plan, fmt.Sprintf("%s=%d", bareVariable, i*each))
		}
		p := startProcess(e, e.address, &output, plan...)
		defer p.kill()
	}
	// From a tenth to nine tenths: neither the start nor the end counts.
	count := func() int {
		return int(one[int64](e, "select count(*) from read_model"))
	}
	var began time.Time
	first, last := 0, 0
	for last < n*9/10 {
		last = count()
		if first == 0 && last >= n/10 {
			began, first = time.Now(), last
		}
		time.Sleep(20 * time.Millisecond)
	}
	return float64(last-first) / time.Since(began).Seconds()
}

// How long after its commit an event is handled, with 500 appends a second and no notify channel. Beside it, in the same run,
// a loop that asks for new rows every 10 ms, which is what the machine allows, and which loses events.
func BenchmarkDelay_500AppendsASecond(b *testing.B) {
	const n = 2500
	e := newEnv(b)
	for b.Loop() {
		committed, handled, seen := newTimes(n), newTimes(n), newTimes(n)
		r, err := consumer.New(e.db, consumer.Config{}, consumer.Registration[pgx.Tx]{
			Consumer: handler[pgx.Tx]{"c", func(_ context.Context, _ pgx.Tx, p runtime.PersistedEvent) error {
				handled.note(p.GlobalPosition)
				return nil
			}},
		})
		if err != nil {
			b.Fatal(err)
		}
		stop := background(e, r)
		stopNaive := e.naive(seen)
		ticker := time.NewTicker(2 * time.Millisecond)
		for i := range n {
			<-ticker.C
			committed.note(e.append("Order", fmt.Sprintf("o%d", i%50), 1)[0])
		}
		ticker.Stop()
		e.eventually("all is handled", func() bool { return handled.count() >= n })
		stop()
		stopNaive()
		delays, naive := handled.after(committed), seen.after(committed)
		b.ReportMetric(delays[len(delays)/2], "p50-ms")
		b.ReportMetric(delays[len(delays)*99/100], "p99-ms")
		b.ReportMetric(naive[len(naive)/2], "naive-p50-ms")
		b.ReportMetric(naive[len(naive)*99/100], "naive-p99-ms")
	}
	b.ReportMetric(0, "ns/op")
}

// naive asks for new rows every 10 ms until the returned function is called, and notes when it sees them.
func (e *env) naive(seen *times) (stop func()) {
	ctx, cancel := context.WithCancel(e.Context())
	var done sync.WaitGroup
	done.Go(func() {
		position := one[int64](e, "select coalesce(max(global_position), 0) from events")
		for sleepFor(ctx, 10*time.Millisecond) {
			rows, err := e.pool.Query(ctx, "select global_position from events where global_position > $1 order by 1", position)
			if err != nil {
				return
			}
			_, err = pgx.ForEachRow(rows, []any{&position}, func() error { seen.note(position); return nil })
			if err != nil {
				return
			}
		}
	})
	return func() { cancel(); done.Wait() }
}

// sleepFor waits and reports whether ctx is still not done.
func sleepFor(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// times are when something happened to events, by their positions.
type times struct {
	mu sync.Mutex
	at map[int64]time.Time
}

func newTimes(n int) *times { return &times{at: make(map[int64]time.Time, n)} }

func (t *times) note(position int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.at[position] = time.Now()
}

func (t *times) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.at)
}

// after returns how long after the earlier times these were, in milliseconds, rising.
func (t *times) after(earlier *times) []float64 {
	var delays []float64
	for p, at := range earlier.at {
		if own, ok := t.at[p]; ok {
			delays = append(delays, max(float64(own.Sub(at))/float64(time.Millisecond), 0))
		}
	}
	slices.Sort(delays)
	return delays
}

// What a runner with ten consumers of two workers each costs while nothing happens.
func BenchmarkIdle(b *testing.B) {
	e, w := newEnv(b).traced()
	e.fill(1000)
	var registrations []consumer.Registration[pgx.Tx]
	for i := range 10 {
		registrations = append(registrations, consumer.Registration[pgx.Tx]{
			Consumer: handler[pgx.Tx]{fmt.Sprintf("c%d", i), func(context.Context, pgx.Tx, runtime.PersistedEvent) error { return nil }},
			Segments: 2,
		})
	}
	r, err := consumer.New(e.db, consumer.Config{}, registrations...)
	if err != nil {
		b.Fatal(err)
	}
	e.catchUp(r)
	for b.Loop() {
		stop := background(e, r)
		time.Sleep(3 * time.Second) // what is measured is how little happens in a time
		w.take()
		time.Sleep(5 * time.Second)
		sent, _ := w.take()
		stop()
		total := 0
		for _, n := range sent {
			total += n
		}
		b.ReportMetric(float64(total)/5, "statements/s")
		b.ReportMetric(float64(total)/5/20, "statements/s/worker")
	}
	names := make([]string, 10)
	for i := range names {
		names[i] = fmt.Sprintf("c%d", i)
	}
	began := time.Now()
	for range 500 {
		if _, err := e.db.Poll(b.Context(), names); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(time.Since(began).Microseconds())/500, "µs/poll")
	b.ReportMetric(0, "ns/op")
}

// A consumer that wants one event in a hundred, against one that wants all, in events of the log a second.
func BenchmarkFiltered_onePercent(b *testing.B) {
	const n = 50_000
	e := newEnv(b)
	for range n / 500 {
		e.append("Rare", "r", 5)
		e.append("Often", "o", 495)
	}
	e.exec("vacuum analyze events")
	side := func(types ...string) func(int) float64 {
		return func(round int) float64 {
			name := fmt.Sprint(types, round)
			r, err := consumer.New(e.db, consumer.Config{}, consumer.Registration[pgx.Tx]{
				Consumer: consumer.Scoped(name, types, func(context.Context, pgx.Tx, runtime.PersistedEvent) error { return nil }),
			})
			if err != nil {
				b.Fatal(err)
			}
			began := time.Now()
			e.catchUp(r)
			took := time.Since(began)
			if err := r.Reset(b.Context(), name, nil); err != nil {
				b.Fatal(err)
			}
			return n / took.Seconds()
		}
	}
	compare(b, "filtered-positions/s", "all-positions/s", side("Rare"), side("Rare", "Often"))
}
