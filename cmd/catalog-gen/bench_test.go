package main

import (
	"io"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"

	"github.com/eventmap/eventmap/internal/goload"
)

// BenchmarkShop compares a whole run on the shop with a bare load of the same packages, with the types that finding handlers
// takes. At most one and a half times of that is to be reached.
func BenchmarkShop(b *testing.B) {
	b.Chdir("../../examples/shop")
	b.Run("bare load", func(b *testing.B) {
		for b.Loop() {
			if _, err := packages.Load(&packages.Config{Mode: goload.Mode | packages.NeedTypesInfo}, "./..."); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("catalog-gen", func(b *testing.B) {
		output := b.TempDir()
		for b.Loop() {
			var stderr strings.Builder
			code := run([]string{"--input", "./domain", "--convention", "--store", "./shopstore", "--handlers", "./...", "--output", output}, io.Discard, &stderr)
			if code != 0 {
				b.Fatalf("exit code %d: %s", code, &stderr)
			}
		}
	})
}
