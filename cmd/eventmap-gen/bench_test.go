package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eventmap/eventmap/internal/cli/clitest"
)

// BenchmarkCommand compares the built command, as a whole process, with a process that loads the same packages in the same
// mode and does nothing else: once where everything has to be written (new), and once where all of it is current, as in
// most runs (run). The sides alternate; the figures are medians.
//
// The peak of memory is that of the process and of the go command that it runs, whichever is higher, as the system
// counts it; the benchmark's own, which Linux takes for the least that a child can have, is lower than either.
func BenchmarkCommand(b *testing.B) {
	patterns := []string{"./domain/...", "./store"}
	bin := buildSides(b)
	for _, size := range []struct {
		name             string
		packages, events int
		write            func(b *testing.B, dir string, p, events int)
	}{
		{"plain/events=200", 20, 10, writePlain},
		{"based/events=300", 25, 12, writeBased},
		{"snapshots/events=200", 20, 10, writeKept}, // the closures of 20 folds besides; the goal is 1.5 times the load
		{"snapshots/events=300", 25, 12, writeKept},
		{"plain/events=1000", 50, 20, writePlain},
		{"plain/events=5000", 250, 20, writePlain},
	} {
		b.Run(size.name, func(b *testing.B) {
			dir := b.TempDir()
			writeBenchModule(b, dir)
			for p := range size.packages {
				size.write(b, dir, p, size.events)
			}
			load := append([]string{filepath.Join(bin, "bareload")}, patterns...)
			run := append([]string{filepath.Join(bin, "eventmap-gen"), "--output", "gen"}, patterns...)
			measure(b, dir, load) // fills the build cache
			var loads, runs, ratios, newRatios, peaks, loadPeaks []float64
			for b.Loop() {
				if err := os.RemoveAll(filepath.Join(dir, "gen")); err != nil {
					b.Fatal(err)
				}
				loadTook, loadPeak := measure(b, dir, load)
				newTook, newPeak := measure(b, dir, run)
				took, _ := measure(b, dir, run)
				loads, runs = append(loads, loadTook), append(runs, took)
				ratios, newRatios = append(ratios, took/loadTook), append(newRatios, newTook/loadTook)
				loadPeaks, peaks = append(loadPeaks, loadPeak), append(peaks, newPeak)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(loads), "ms/load")
			b.ReportMetric(median(runs), "ms/run")
			b.ReportMetric(median(ratios), "run/load")
			b.ReportMetric(median(newRatios), "new/load")
			b.ReportMetric(median(loadPeaks), "MB-peak/load")
			b.ReportMetric(median(peaks), "MB-peak/new")
		})
	}
}

// BenchmarkAdopt measures eventmap-gen adopt on code without marks against the bare loading of the same packages, in turn:
// adopt also type-checks what functions do, which the load leaves out.
func BenchmarkAdopt(b *testing.B) {
	patterns := []string{"./domain/...", "./store"}
	bin := buildSides(b)
	b.Run("events=200", func(b *testing.B) {
		dir := b.TempDir()
		writeBenchModule(b, dir)
		for p := range 20 {
			writeUnmarked(b, dir, p, 10)
		}
		load := append([]string{filepath.Join(bin, "bareload")}, patterns...)
		adopt := append([]string{filepath.Join(bin, "eventmap-gen"), "adopt"}, patterns...)
		measure(b, dir, load) // fills the build cache
		var loads, runs, ratios, peaks []float64
		for b.Loop() {
			loadTook, _ := measure(b, dir, load)
			took, peak := measure(b, dir, adopt)
			loads, runs, ratios, peaks = append(loads, loadTook), append(runs, took), append(ratios, took/loadTook), append(peaks, peak)
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(median(loads), "ms/load")
		b.ReportMetric(median(runs), "ms/adopt")
		b.ReportMetric(median(ratios), "adopt/load")
		b.ReportMetric(median(peaks), "MB-peak/adopt")
	})
}

// writeUnmarked writes a package as code that was written for no tool has it: a name for each event in a method, a state
// that applies them, and a switch over names that decodes.
func writeUnmarked(b *testing.B, dir string, p, events int) {
	var s, cases, decodes strings.Builder
	s.WriteString("import (\n\t\"encoding/json\"\n\t\"time\"\n)\n\ntype Event interface{ EventType() string }\n")
	for e := range events {
		fmt.Fprintf(&s, `
// Event%[2]d says that something happened. It says it at length, as doc comments do.
type Event%[2]d struct {
	OrderID string `+"`json:\"order_id\"`"+`
	At      time.Time
	Lines   []struct {
		SKU   string
		Count int
	}
}

func (Event%[2]d) EventType() string { return "order%[1]d.event%[2]d" }
`, p, e)
		fmt.Fprintf(&cases, "\tcase Event%d:\n\t\to.Count += len(e.Lines)\n", e)
		fmt.Fprintf(&decodes, "\tcase \"order%[1]d.event%[2]d\":\n\t\tvar e Event%[2]d\n\t\treturn e, json.Unmarshal(payload, &e)\n", p, e)
	}
	fmt.Fprintf(&s, `
type Order struct {
	ID    string
	Count int
}

func (o *Order) Apply(e Event) {
	switch e := e.(type) {
%s	}
}

func Decode(eventType string, payload []byte) (Event, error) {
	switch eventType {
%s	}
	return nil, nil
}
`, cases.String(), decodes.String())
	writeSource(b, dir, fmt.Sprintf("domain/order%d", p), s.String())
}

// buildSides builds the command and what it is compared with, and returns their folder.
func buildSides(b *testing.B) string {
	b.Helper()
	dir := b.TempDir()
	if out, err := exec.Command("go", "build", "-o", dir+"/", ".", "./testdata/bareload").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return dir
}

// measure runs a command in dir and returns how long it took, in milliseconds, and its peak of memory in megabytes.
func measure(b *testing.B, dir string, command []string) (took, peak float64) {
	b.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = dir
	start := time.Now()
	out, err := cmd.CombinedOutput()
	took = float64(time.Since(start).Microseconds()) / 1000
	if err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		peak = float64(usage.Maxrss) / 1024 // in kilobytes on Linux
	}
	return took, peak
}

// median returns the middle one of the values.
func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// writeBenchModule makes dir a module with a package that imports pgx.
func writeBenchModule(b *testing.B, dir string) {
	b.Helper()
	repo, err := filepath.Abs("../..")
	if err != nil {
		b.Fatal(err)
	}
	if err := clitest.WriteModule(dir, "example.com/shop", repo); err != nil {
		b.Fatal(err)
	}
	writeSource(b, dir, "store", "import \"github.com/jackc/pgx/v5\"\n\n//eventmap:ignore\ntype Store struct{ Tx pgx.Tx }\n")
	tidy := exec.Command("go", "mod", "edit", "-require=github.com/jackc/pgx/v5@"+moduleVersion(b, "github.com/jackc/pgx/v5"))
	tidy.Dir = dir
	if out, err := tidy.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	list := exec.Command("go", "list", "-mod=mod", "-deps", "./...")
	list.Dir = dir
	if out, err := list.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
}

// moduleVersion returns the version of a module that this one requires.
func moduleVersion(b *testing.B, path string) string {
	b.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", path).Output()
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// writePlain writes a package of events as most teams write them.
func writePlain(b *testing.B, dir string, p, events int) {
	var s strings.Builder
	s.WriteString("import \"time\"\n\n// Money is an amount.\ntype Money struct {\n\tAmount   int64\n\tCurrency string\n}\n")
	for e := range events {
		fmt.Fprintf(&s, `
// Event%[1]d says that something happened. It says it at length, as doc comments do.
type Event%[1]d struct {
	OrderID string `+"`json:\"order_id\"`"+`
	At      time.Time
	Price   Money
	Lines   []struct {
		SKU   string
		Count int
	}
	Note *string `+"`json:\"note,omitempty\"`"+`
}

// Describe says it in words.
func (e Event%[1]d) Describe() string {
	out := e.OrderID
	for _, line := range e.Lines {
		if line.Count > 0 {
			out += line.SKU
		}
	}
	return out
}
`, e)
	}
	writeSource(b, dir, fmt.Sprintf("domain/order%d", p), s.String())
}

// writeBased writes a package with a sum type, whose events have a base in common and methods on the pointer, and a
// state with a method for each.
func writeBased(b *testing.B, dir string, p, events int) {
	writeSource(b, dir, fmt.Sprintf("domain/order%d", p), based(p, events))
}

// writeKept writes the same, but states are kept as snapshots, and are made by what lies in other packages too.
func writeKept(b *testing.B, dir string, p, events int) {
	text := strings.Replace(based(p, events), "//eventmap:aggregate\n", "//eventmap:aggregate snapshots\n", 1)
	text = strings.Replace(text, "import \"time\"\n", "import (\n\t\"time\"\n\n\t\"example.com/shop/domain/count\"\n)\n", 1)
	text = strings.ReplaceAll(text, "o.Count++", "o.Count = count.Next(o.Count, e.Reason)")
	writeSource(b, dir, fmt.Sprintf("domain/order%d", p), text)
	writeSource(b, dir, "domain/count", "import \"strings\"\n\n// Next counts on.\nfunc Next(n int, reason string) int { return n + len(strings.Fields(reason)) + 1 }\n")
}

// based returns the source that writeBased writes.
func based(p, events int) string {
	var s strings.Builder
	fmt.Fprintf(&s, `import "time"

//eventmap:events
type Event interface {
	AggregateID() string
	IsOrder%[1]d()
}

// Base is what all events have.
type Base struct {
	ID string `+"`json:\"id\"`"+`
	At time.Time `+"`json:\"at\"`"+`
	By string `+"`json:\"by,omitempty\"`"+`
}

func (b *Base) AggregateID() string { return b.ID }
func (b *Base) IsOrder%[1]d() {}

//eventmap:aggregate
type Order struct {
	ID    string
	Count int
}
`, p)
	for e := range events {
		fmt.Fprintf(&s, `
// Event%[1]d happened.
type Event%[1]d struct {
	Base
	Reason string
	Parts  map[string][]Part%[1]d
}

type Part%[1]d struct{ SKU string }

func (o *Order) OnEvent%[1]d(e *Event%[1]d) error { o.Count++; return nil }
`, e)
	}
	return s.String()
}

// writeSource writes a package.
func writeSource(b *testing.B, dir, folder, text string) {
	b.Helper()
	folder = filepath.Join(dir, folder)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		b.Fatal(err)
	}
	text = "package " + filepath.Base(folder) + "\n\n" + text
	if err := os.WriteFile(filepath.Join(folder, "events.go"), []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
}
