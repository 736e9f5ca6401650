package astscan

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/tools/go/packages"
	"golang.org/x/tools/txtar"

	"github.com/eventmap/eventmap/internal/goload"
)

// BenchmarkScan compares a scan of 200 events in 20 packages, beside a package that imports pgx, with a bare
// packages.Load in the same mode. Both sides alternate; the figures are medians, and the peak is that of a process that
// does one of them and nothing else.
func BenchmarkScan(b *testing.B) {
	dir := writeShop(b, 20, 10)
	var scans, loads, ratios []float64
	for b.Loop() {
		load := elapsed(func() { bareLoad(b, dir) })
		scan := elapsed(func() { scanShop(b, dir) })
		scans, loads, ratios = append(scans, scan), append(loads, load), append(ratios, scan/load)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(loads), "ms/load")
	b.ReportMetric(median(scans), "ms/scan")
	b.ReportMetric(median(ratios), "scan/load")
	b.ReportMetric(childPeak(b, "load", dir), "MB-peak/load")
	b.ReportMetric(childPeak(b, "scan", dir), "MB-peak/scan")
}

// BenchmarkScan_manyEvents shows what one more event costs: it grows with the number of events and no faster.
func BenchmarkScan_manyEvents(b *testing.B) {
	for _, packages := range []int{50, 500} {
		dir := writeShop(b, packages, 10)
		b.Run(fmt.Sprintf("events=%d", packages*10), func(b *testing.B) {
			var scans, loads []float64
			for b.Loop() {
				loads = append(loads, elapsed(func() { bareLoad(b, dir) }))
				scans = append(scans, elapsed(func() { scanShop(b, dir) }))
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(loads), "ms/load")
			b.ReportMetric(median(scans), "ms/scan")
			b.ReportMetric(childPeak(b, "scan", dir), "MB-peak/scan")
		})
	}
}

// bareLoad is the other side: what no tool of this kind can do without.
func bareLoad(tb testing.TB, dir string) {
	tb.Helper()
	pkgs, err := packages.Load(&packages.Config{Mode: goload.Mode, Dir: dir}, "./...")
	if err != nil || packages.PrintErrors(pkgs) > 0 {
		tb.Fatalf("load: %v", err)
	}
}

func scanShop(tb testing.TB, dir string) {
	tb.Helper()
	domain, err := Scan(context.Background(), Options{Dir: dir, Patterns: []string{"./..."}, Output: "gen"})
	if err != nil || len(domain.Aggregates) == 0 {
		tb.Fatalf("scan: %v", err)
	}
}

// writeShop writes a module of packages with ten events each, and one that imports pgx.
func writeShop(tb testing.TB, packages, events int) string {
	tb.Helper()
	archive := &txtar.Archive{Files: []txtar.File{
		{Name: "go.mod", Data: shopModule(tb)},
		{Name: "go.sum", Data: readFile(tb, "../../go.sum")},
		{Name: "store/store.go", Data: []byte("package store\n\nimport \"github.com/jackc/pgx/v5\"\n\n//eventmap:ignore\ntype Store struct{ Tx pgx.Tx }\n")},
	}}
	for p := range packages {
		var b strings.Builder
		fmt.Fprintf(&b, "// Package order%d holds orders.\npackage order%d\n\nimport \"time\"\n\n// Money is an amount.\ntype Money struct {\n\tAmount   int64\n\tCurrency string\n}\n", p, p)
		for e := range events {
			fmt.Fprintf(&b, "\n// Event%d says that something happened. It says it at length, as doc comments do.\ntype Event%d struct {\n\tOrderID string `json:\"order_id\"`\n\tAt time.Time\n\tPrice Money\n\tLines []struct{ SKU string; Count int }\n\tNote *string `json:\"note,omitempty\"`\n}\n", e, e)
			fmt.Fprintf(&b, "\n// Describe says it in words.\nfunc (e Event%d) Describe() string {\n\tout := e.OrderID\n\tfor _, line := range e.Lines {\n\t\tif line.Count > 0 {\n\t\t\tout += line.SKU\n\t\t}\n\t}\n\treturn out\n}\n", e)
		}
		archive.Files = append(archive.Files, txtar.File{Name: fmt.Sprintf("domain/order%d/events.go", p), Data: []byte(b.String())})
	}
	dir := writeModule(tb, archive)
	bareLoad(tb, dir) // fills the build cache
	return dir
}

// shopModule returns a go.mod that requires what this project's does.
func shopModule(tb testing.TB) []byte {
	tb.Helper()
	mod, err := modfile.Parse("go.mod", readFile(tb, "../../go.mod"), nil)
	if err != nil {
		tb.Fatal(err)
	}
	if err := mod.AddModuleStmt("example.com/shop"); err != nil {
		tb.Fatal(err)
	}
	text, err := mod.Format()
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

func readFile(tb testing.TB, name string) []byte {
	tb.Helper()
	text, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

// elapsed returns how long f takes, in milliseconds.
func elapsed(f func()) float64 {
	start := time.Now()
	f()
	return float64(time.Since(start).Microseconds()) / 1000
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// childPeak returns the peak resident memory in megabytes of a process that does one side once; 0 where the system does
// not tell.
func childPeak(tb testing.TB, side, dir string) float64 {
	tb.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestPeak$", "-test.v")
	cmd.Env = append(os.Environ(), "ASTSCAN_PEAK_SIDE="+side, "ASTSCAN_PEAK_DIR="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		tb.Fatalf("%v\n%s", err, out)
	}
	_, rest, _ := strings.Cut(string(out), "VmHWM:")
	kilobytes, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	n, err := strconv.ParseFloat(kilobytes, 64)
	if err != nil {
		return 0
	}
	return n / 1024
}

// TestPeak is the process whose memory is measured. On its own it checks that the shop of the benchmark is scanned.
func TestPeak(t *testing.T) {
	side, dir := os.Getenv("ASTSCAN_PEAK_SIDE"), os.Getenv("ASTSCAN_PEAK_DIR")
	if dir == "" {
		dir = writeShop(t, 2, 2)
	}
	if side == "load" {
		bareLoad(t, dir)
	} else {
		scanShop(t, dir)
	}
	if status, err := os.ReadFile("/proc/self/status"); err == nil {
		for line := range strings.Lines(string(status)) {
			if strings.HasPrefix(line, "VmHWM:") {
				t.Log(line)
			}
		}
	}
}
