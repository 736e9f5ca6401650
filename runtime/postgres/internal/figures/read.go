package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A row is what was compared in one run.
type row struct {
	name  string
	sides []string
	goals []goal
}

// A goal is a ratio that was measured, what it is to be, and whether it is.
type goal struct{ ratio, want, verdict string }

const (
	reached = "reached"
	missed  = "**missed**"
)

var (
	titleLine     = regexp.MustCompile(`^(\S.*) \((.+), median of (\d+), least to most\)$`)
	sideLine      = regexp.MustCompile(`^  (\S.*?) +([0-9.e+-]+)   ([0-9.e+-]+) - ([0-9.e+-]+) *(.*)$`)
	goalLine      = regexp.MustCompile(`^  ours / (\S.*?) +([0-9.e+-]+)   goal (>=|<=) ([0-9.e+-]+): (.*)$`)
	benchmarkLine = regexp.MustCompile(`^Benchmark(\S+?)(?:-\d+)?\s+\d+\s+(.*)$`)
)

// read returns the rows of what make bench printed, and what it says of the machine: PostgreSQL, system and processor.
func read(output string) (rows []row, machine []string) {
	seen, pkg := map[string]bool{}, ""
	for line := range strings.Lines(output) {
		line = strings.TrimRight(line, "\r\n")
		if m := titleLine.FindStringSubmatch(line); m != nil {
			rows = append(rows, row{name: fmt.Sprintf("%s (%s)", m[1], m[2])})
		} else if m := sideLine.FindStringSubmatch(line); m != nil && len(rows) > 0 {
			side := fmt.Sprintf("%s: %s (%s–%s)", m[1], m[2], m[3], m[4])
			if m[5] != "" {
				side += ", " + m[5]
			}
			last := &rows[len(rows)-1]
			last.sides = append(last.sides, side)
		} else if m := goalLine.FindStringSubmatch(line); m != nil && len(rows) > 0 {
			verdict := reached
			if m[5] != reached {
				verdict = missed
			}
			last := &rows[len(rows)-1]
			last.goals = append(last.goals, goal{m[2] + " of " + m[1], sign(m[3]) + m[4], verdict})
		} else if m := benchmarkLine.FindStringSubmatch(line); m != nil {
			rows = append(rows, benchmark(strings.TrimLeft(pkg+" "+m[1], " "), strings.Fields(m[2])))
		} else if path, ok := strings.CutPrefix(line, "pkg: github.com/eventmap/eventmap/"); ok {
			pkg = path
		} else if key, fact, ok := strings.Cut(line, ": "); ok && (key == "machine" || key == "goos" || key == "goarch" || key == "cpu") && !seen[fact] {
			seen[fact] = true
			machine = append(machine, fact)
		}
	}
	return rows, machine
}

// benchmark returns the row of a benchmark of Go, which is named after its package. Its figures are pairs of a number and a
// unit. Those of package testing are left out where the benchmark reports figures of its own: they measure it, and no side.
func benchmark(name string, figures []string) row {
	r := row{name: "`" + name + "`"}
	own := false
	for i := 1; i < len(figures); i += 2 {
		own = own || !isTesting(figures[i])
	}
	for i := 0; i+1 < len(figures); i += 2 {
		number, unit := figures[i], figures[i+1]
		if own && isTesting(unit) {
			continue
		}
		r.sides = append(r.sides, number+" "+unit)
		figure, err := strconv.ParseFloat(number, 64)
		if err != nil {
			continue
		}
		for _, g := range benchmarkGoals {
			if g.unit != unit || !g.name.MatchString(name) {
				continue
			}
			ok, want := figure >= g.bound, ">="
			if g.atMost {
				ok, want = figure <= g.bound, "<="
			}
			verdict := reached
			if !ok {
				verdict = missed
			}
			r.goals = append(r.goals, goal{number + " " + unit, sign(want) + strconv.FormatFloat(g.bound, 'f', -1, 64), verdict})
		}
	}
	return r
}

// isTesting reports whether a unit is one that package testing reports itself.
func isTesting(unit string) bool { return unit == "ns/op" || unit == "B/op" || unit == "allocs/op" }

// sign returns a relation as the page prints it.
func sign(relation string) string {
	if relation == "<=" {
		return "≤ "
	}
	return "≥ "
}
