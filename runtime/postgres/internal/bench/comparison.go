package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5/pgxpool"
)

// A comparison sets ways of doing the same work side by side. The last side is ours.
type comparison struct {
	name  string
	unit  string // of a figure, for example "appends/s"
	sides []side
	goals []goal
	// prepare fills the database before the first round.
	prepare func(ctx context.Context, pool *pgxpool.Pool) error
}

// A side is one way of doing the work. Run does it once, on a database that the rounds before have left, and returns the
// figure and, where there is something to say, a remark.
type side struct {
	name string
	run  func(ctx context.Context, pool *pgxpool.Pool) (figure float64, remark string, err error)
}

// A goal is the ratio of ours to the named side that is to be reached.
type goal struct {
	against string
	ratio   float64
	atMost  bool // the ratio is to be no more than this; else no less
}

// measure runs the sides in turn and prints the table.
func (c comparison) measure(ctx context.Context, s *server, p plan) error {
	pool, drop, err := s.database(ctx)
	if err != nil {
		return err
	}
	defer drop()
	if c.prepare != nil {
		if err := c.prepare(ctx, pool); err != nil {
			return fmt.Errorf("prepare: %w", err)
		}
	}
	figures := make([][]float64, len(c.sides))
	remarks := make([]string, len(c.sides))
	// The first round warms caches and prepares statements; it does not count.
	for round := range p.rounds + 1 {
		for i, side := range c.sides {
			figure, remark, err := side.run(ctx, pool)
			if err != nil {
				return fmt.Errorf("%s: %w", side.name, err)
			}
			if round > 0 {
				figures[i] = append(figures[i], figure)
				remarks[i] = remark
			}
		}
	}
	c.print(figures, remarks)
	return nil
}

func (c comparison) print(figures [][]float64, remarks []string) {
	fmt.Printf("\n%s (%s, median of %d, least to most)\n", c.name, c.unit, len(figures[0]))
	bySide := make(map[string][]float64)
	for i, side := range c.sides {
		bySide[side.name] = figures[i]
		sorted := slices.Sorted(slices.Values(figures[i]))
		fmt.Printf("  %-28s %12s   %s - %s   %s\n", side.name, plain(median(sorted)), plain(sorted[0]), plain(sorted[len(sorted)-1]), remarks[i])
	}
	ours := figures[len(figures)-1]
	for _, g := range c.goals {
		ratio := medianRatio(ours, bySide[g.against])
		reached, relation := ratio >= g.ratio, ">="
		if g.atMost {
			reached, relation = ratio <= g.ratio, "<="
		}
		verdict := "reached"
		if !reached {
			verdict = "NOT REACHED"
		}
		fmt.Printf("  ours / %-21s %12.3f   goal %s %.3g: %s\n", g.against, ratio, relation, g.ratio, verdict)
	}
}

// plain returns a figure with four digits, or all before the point where those are more, and never with an exponent.
func plain(figure float64) string {
	if figure >= 1000 {
		return strconv.FormatFloat(figure, 'f', 0, 64)
	}
	return strconv.FormatFloat(figure, 'g', 4, 64)
}

// medianRatio returns the median of the ratios that two sides have round by round: what disturbs a machine for longer than a
// round disturbs both.
func medianRatio(ours, theirs []float64) float64 {
	ratios := make([]float64, len(ours))
	for i := range ours {
		ratios[i] = ours[i] / theirs[i]
	}
	slices.Sort(ratios)
	return median(ratios)
}

// median returns the middle of sorted figures.
func median(sorted []float64) float64 {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
