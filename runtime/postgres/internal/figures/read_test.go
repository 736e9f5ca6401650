package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const printed = `machine: PostgreSQL 15.20, fsync on

append 1, 16 writers (appends/s, median of 5, least to most)
  bare insert                          4000   3900 - 4100   
  a statement for each event           2100   2000 - 2200   2 of 3 tries wasted
  eventmap                             3300   3200 - 3400   
  ours / bare insert                  0.825   goal >= 0.85: NOT REACHED
  ours / a statement for each event    1.57   goal >= 1.3: reached

round trips (statements, median of 1, least to most)
  eventmap                                1   1 - 1   
goos: linux
goarch: amd64
pkg: github.com/eventmap/eventmap/cmd/eventmap-gen
cpu: A processor
BenchmarkCommand/plain/events=200-2         	       5	         0 ns/op	         1.103 run/load	        41.50 MB-peak/new	 9 B/op	 1 allocs/op
PASS
goos: linux
pkg: github.com/eventmap/eventmap/internal/astscan
BenchmarkScan 	 10	 1250 ns/op	 9 B/op	 1 allocs/op
ok  	github.com/eventmap/eventmap/internal/astscan	2.1s
`

func TestRead(t *testing.T) {
	t.Parallel()
	rows, machine := read(printed)
	want := []row{
		{"append 1, 16 writers (appends/s)", []string{
			"bare insert: 4000 (3900–4100)", "a statement for each event: 2100 (2000–2200), 2 of 3 tries wasted", "eventmap: 3300 (3200–3400)",
		}, []goal{{"0.825 of bare insert", "≥ 0.85", missed}, {"1.57 of a statement for each event", "≥ 1.3", reached}}},
		{"round trips (statements)", []string{"eventmap: 1 (1–1)"}, nil},
		{"`cmd/eventmap-gen Command/plain/events=200`", []string{"1.103 run/load", "41.50 MB-peak/new"}, []goal{
			{"1.103 run/load", "≤ 1.25", reached}, {"41.50 MB-peak/new", "≤ 40", missed},
		}},
		{"`internal/astscan Scan`", []string{"1250 ns/op", "9 B/op", "1 allocs/op"}, nil},
	}
	if d := cmp.Diff(want, rows, cmp.AllowUnexported(row{}, goal{})); d != "" {
		t.Errorf("rows (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"PostgreSQL 15.20, fsync on", "linux", "amd64", "A processor"}, machine); d != "" {
		t.Errorf("machine (-want +got):\n%s", d)
	}
}

// The page of this repository takes the table, and keeps what it says beside it.
func TestRun_page(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	page, err := os.ReadFile("../../../../docs/figures.md")
	if err != nil {
		t.Fatal(err)
	}
	output, path := filepath.Join(dir, "bench.txt"), filepath.Join(dir, "figures.md")
	for name, text := range map[string]string{output: printed, path: string(page)} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := run(output, path); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, _, _ := strings.Cut(string(page), begin)
	_, after, _ := strings.Cut(string(page), end)
	if !strings.HasPrefix(string(got), before) || !strings.HasSuffix(string(got), after) {
		t.Errorf("what the page says beside the table has changed:\n%s", got)
	}
	const rows = "| append 1, 16 writers (appends/s) | bare insert: 4000 (3900–4100)<br>"
	if !strings.Contains(string(got), rows) || !strings.Contains(string(got), "|  |  | 1.57 of a statement for each event | ≥ 1.3 | reached |\n") {
		t.Errorf("the table is not there:\n%s", got)
	}
	if err := run(path, path); err == nil {
		t.Error("a file without figures is taken")
	}
}
