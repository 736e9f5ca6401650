// Package fingerprint tells whether code has changed that decides what a computation returns.
//
// It walks from functions to every declaration that they reach, and hashes what it finds: bodies, constants, types,
// initialisers. Comments, positions and layout do not count. The walk never overlooks a declaration that can be run; where it
// cannot tell which one that is, it takes all that it might be. So a fingerprint may change although the result would
// not, and never the other way round, but for the limits that the findings of a [Result] name.
//
// The walk is pure: it reads type-checked packages and nothing else.
package fingerprint

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// A Package is one whose source was read and type-checked.
type Package struct {
	Types *types.Package
	Info  *types.Info
	Files []*ast.File
	// Excluded are files of the package that build constraints keep out of this build. They are only parsed.
	Excluded []*ast.File
	// NonGo reports whether anything but Go is built into the package: assembly, C, or files that it embeds.
	NonGo bool
	// Others are the files of that, as far as they are there.
	Others []string
}

// Source is all that a walk may look at.
type Source struct {
	Fset     *token.FileSet
	Packages []*Package
	// Standard reports whether a package is of the standard library, which the release of Go stands for.
	Standard func(path string) bool
	// Identity names the content of another package whose source was not read, and of all that it imports: by its module's
	// version and sum, or by a hash of the files. It is also asked for packages that hold more than Go.
	Identity func(path string) (string, error)
}

// A Result is what a walk found.
type Result struct {
	// Sum is the SHA-256 of everything reached, in hexadecimal.
	Sum string
	// Files are the files in which something was reached, those of NonGo packages included, sorted.
	Files []string
	// Refusals are places whose result depends on more than what was reached, such as the clock.
	Refusals []Finding
	// Warnings are places whose result may depend on more, such as a loop over a map.
	Warnings []Finding
}

// A Finding is something about one place of the code.
type Finding struct {
	Pos     token.Position
	Message string
}

// Fingerprint returns what stands for everything that the roots reach. Roots are functions, methods and named types; of a
// type, the methods count that an encoder or a formatter may call. The extra texts count too, in their order.
//
// It fails if the identity of a package cannot be told.
func (c *Code) Fingerprint(roots []types.Object, extra ...string) (Result, error) {
	w := newWalk(c)
	for _, root := range roots {
		w.reach(root)
	}
	w.run()
	w.checkBuilds()
	entries, err := w.entries()
	if err != nil {
		return Result{}, err
	}
	hash, sum := newHash()
	for _, text := range extra {
		writeText(hash, text)
	}
	for _, entry := range entries {
		writeLength(hash, len(entry))
		_, _ = hash.Write(entry)
	}
	return Result{
		Sum:      sum(),
		Files:    w.reachedFiles(),
		Refusals: sortFindings(w.refusals),
		Warnings: sortFindings(w.warnings),
	}, nil
}

func sortFindings(findings []Finding) []Finding {
	slices.SortFunc(findings, func(a, b Finding) int {
		if c := strings.Compare(a.Pos.Filename, b.Pos.Filename); c != 0 {
			return c
		}
		if a.Pos.Offset != b.Pos.Offset {
			return a.Pos.Offset - b.Pos.Offset
		}
		return strings.Compare(a.Message, b.Message)
	})
	return slices.Compact(findings)
}
