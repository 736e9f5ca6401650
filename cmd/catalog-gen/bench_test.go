package main

import (
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/go/packages"

	"github.com/eventmap/eventmap/internal/goload"
)

// BenchmarkShop compares a whole run on the shop with a bare load of the same packages, with the types that finding handlers
// takes. The sides alternate; the figures are medians.
func BenchmarkShop(b *testing.B) {
	b.Chdir("../../examples/shop")
	output := b.TempDir()
	load := func() {
		if _, err := packages.Load(&packages.Config{Mode: goload.Mode | packages.NeedTypesInfo}, "./..."); err != nil {
			b.Fatal(err)
		}
	}
	generate := func() {
		var stderr strings.Builder
		code := run([]string{"--input", "./domain", "--convention", "--store", "./shopstore", "--handlers", "./...", "--output", output}, io.Discard, &stderr)
		if code != 0 {
			b.Fatalf("exit code %d: %s", code, &stderr)
		}
	}
	load() // fills the build cache
	var loads, runs, ratios []float64
	for b.Loop() {
		loadTook, runTook := milliseconds(load), milliseconds(generate)
		loads, runs, ratios = append(loads, loadTook), append(runs, runTook), append(ratios, runTook/loadTook)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(loads), "ms/load")
	b.ReportMetric(median(runs), "ms/run")
	b.ReportMetric(median(ratios), "run/load")
}

func milliseconds(work func()) float64 {
	began := time.Now()
	work()
	return float64(time.Since(began).Microseconds()) / 1000
}

// median returns the middle one of the values.
func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
