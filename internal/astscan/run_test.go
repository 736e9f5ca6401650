package astscan

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/eventmap/eventmap/internal/model"
)

func TestScan_dependsOnTheSourceAlone(t *testing.T) {
	t.Parallel()
	archive, err := txtar.ParseFile("testdata/state_sum.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var first *model.Domain
	for range 3 { // each time somewhere else, with the maps' order another
		domain, err := Scan(t.Context(), Options{Dir: writeModule(t, archive), Patterns: []string{"./..."}, Output: "gen", Convention: true})
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = domain
		}
		if diff := cmp.Diff(first, domain); diff != "" {
			t.Errorf("a second scan differs:\n%s", diff)
		}
	}
}

func TestScan_cancelled(t *testing.T) {
	t.Parallel()
	dir := writeModule(t, &txtar.Archive{Files: []txtar.File{{Name: "x.go", Data: []byte("package x\n\ntype Placed struct{}\n")}}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Scan(ctx, Options{Dir: dir, Patterns: []string{"./..."}, Output: "gen"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestScan_withoutGoCommand(t *testing.T) {
	dir := writeModule(t, &txtar.Archive{Files: []txtar.File{{Name: "x.go", Data: []byte("package x\n\ntype Placed struct{}\n")}}})
	t.Setenv("PATH", dir)
	_, err := Scan(t.Context(), Options{Dir: dir, Patterns: []string{"./..."}, Output: "gen"})
	if err == nil || !strings.Contains(err.Error(), "the go command was not found on the PATH") {
		t.Errorf("got %v", err)
	}
}

func TestScan_outsideAnyModule(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x.go"), []byte("package x\n\ntype Placed struct{}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"./...", "example.com/x"} {
		_, err := Scan(t.Context(), Options{Dir: dir, Patterns: []string{pattern}, Output: "gen"})
		if err == nil || !strings.Contains(err.Error(), "no go.mod in "+dir) {
			t.Errorf("%s: got %v", pattern, err)
		}
	}
}

func TestScan_refusesOptions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for want, o := range map[string]Options{
		"no input":       {Dir: dir, Output: "gen"},
		"no such file":   {Dir: filepath.Join(dir, "missing"), Patterns: []string{"./..."}, Output: "gen"},
		"aggregate name": {Dir: dir, Patterns: []string{"./..."}, Output: "gen", Aggregate: "a\nb"},
		"no such folder": {Dir: dir, Patterns: []string{"./x/..."}, Output: "gen"},
		"no go.mod":      {Dir: dir, Patterns: []string{"."}, Output: "gen"},
	} {
		if _, err := Scan(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
}
