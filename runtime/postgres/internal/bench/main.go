// Command bench measures the store against the least that PostgreSQL and pgx need for the same work. Every figure is a
// ratio inside one run: the sides take turns, and both are printed, each with the median of its rounds, with the median of
// the ratios that they have round by round, since a figure from one machine says nothing about another.
//
// The server is a private one with PostgreSQL's defaults and fsync on, or that of DATABASE_URL.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"runtime/pprof"
	"time"

	"github.com/spf13/pflag"
)

// A plan is what the flags say.
type plan struct {
	rounds  int
	round   time.Duration
	writers int
	events  int
	growth  int
	console int
	move    int
	durable bool
	only    *regexp.Regexp
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
}

func run() error {
	var p plan
	var only, profile string
	pflag.IntVar(&p.rounds, "rounds", 5, "rounds of every side; figures are medians of them")
	pflag.DurationVar(&p.round, "round", 2*time.Second, "length of a round that is not a fixed amount of work")
	pflag.IntVar(&p.writers, "writers", 16, "concurrent writers")
	pflag.IntVar(&p.events, "events", 1_000_000, "events in the log that is read")
	pflag.IntVar(&p.growth, "growth", 1_000_000, "events stored before append latency is compared with that of an empty log (10000000 for the full one)")
	pflag.IntVar(&p.console, "console", 10_000_000, "events in the log whose pages the console shows; 10000000 need 4 GB of disk, and a minute or two to make")
	pflag.IntVar(&p.move, "move", 200_000, "events in the hand-written table that is moved (1000000 for the full one, which takes some minutes)")
	pflag.BoolVar(&p.durable, "fsync", true, "a server that waits for its disk, as in production; without, the processor's share shows")
	pflag.StringVar(&only, "run", "", "only comparisons whose name matches this regular expression")
	pflag.StringVar(&profile, "cpuprofile", "", "write a CPU profile of the whole run to this file")
	pflag.Parse()
	var err error
	if p.only, err = regexp.Compile(only); err != nil {
		return fmt.Errorf("--run: %w", err)
	}
	if profile != "" {
		f, err := os.Create(profile)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	return measure(ctx, p)
}

// measure runs every comparison that was asked for, each on a database of its own.
func measure(ctx context.Context, p plan) error {
	s, err := newServer(p.durable)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.describe(ctx, p.durable); err != nil {
		return err
	}
	for _, c := range comparisons(p) {
		if !p.only.MatchString(c.name) {
			continue
		}
		if err := c.measure(ctx, s, p); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}

func comparisons(p plan) []comparison {
	all := []comparison{roundTrips()}
	for _, n := range []int{1, 10, 100} {
		all = append(all, appends(p, n))
	}
	all = append(all, guard(p), hotStream(p), decisions())
	all = append(all, groups(p)...)
	all = append(all, readStream(p), completeness(p, 10), completeness(p, 1000))
	all = append(all, snapshots(p)...)
	all = append(all, personalData(p)...)
	all = append(all, overLogs(p)...)
	return append(all, readLog(p), growth(p), move(p), consoleOn(p))
}
