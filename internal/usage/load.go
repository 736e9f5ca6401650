// Package usage reads an application and says which of its functions emit the events of a domain, and what handles them. It
// goes by the identity of objects: what a call really calls, not what it is called.
package usage

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/eventmap/eventmap/internal/goload"
	"github.com/eventmap/eventmap/internal/model"
)

// Options say what is read.
type Options struct {
	// Dir is the working directory. Positions are given relative to it where they lie below it.
	Dir string
	// Patterns are those of go list, as seen from Dir: the application, and the packages of the domain, whose functions
	// decide which events there are.
	Patterns []string
	// Tags are the build tags that are set.
	Tags []string
	// Store is the folder of the package that eventmap-gen wrote, relative to Dir.
	Store string
}

// An Application is a program that was read.
type Application struct {
	program *goload.Program
	folder  string // of the store
}

// Load reads the packages that match the patterns, but for their tests. Everything that keeps a package from compiling is
// returned at once, as [model.Problems].
func Load(ctx context.Context, o Options) (*Application, error) {
	dir, err := goload.NewDir(o.Dir)
	if err != nil {
		return nil, err
	}
	patterns := append([]string{storePattern(o.Store)}, o.Patterns...)
	program, err := goload.Load(ctx, goload.Options{Dir: dir, Patterns: patterns, Tags: o.Tags, Info: true})
	if err != nil {
		return nil, err
	}
	if err := program.Build(&goload.Output{}).Problems.Err(); err != nil {
		return nil, err
	}
	return &Application{program: program, folder: o.Store}, nil
}

// storePattern returns the pattern of the store's folder.
func storePattern(folder string) string {
	folder = filepath.ToSlash(filepath.Clean(folder))
	if filepath.IsAbs(folder) || folder == ".." || strings.HasPrefix(folder, "../") {
		return folder
	}
	return "./" + folder
}

// Usage returns who emits and who handles the events of the domain.
func (a *Application) Usage(domain *model.Domain) (*model.Usage, error) {
	store, err := findStore(a.program, a.folder, domain)
	if err != nil {
		return nil, err
	}
	r := reader{Program: a.program, domain: domain, store: store}
	return r.usage(), nil
}

// A reader is the state of one run.
type reader struct {
	*goload.Program
	domain *model.Domain
	store  *store
}
