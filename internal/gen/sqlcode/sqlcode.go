// Package sqlcode is what the tests of stores make their tables with.
package sqlcode

import (
	"github.com/eventmap/eventmap/internal/gen"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
)

// Options is design.Options.
type Options = design.Options

// Generate returns the plain SQL of options as a file.
func Generate(o Options) ([]gen.File, error) {
	text, err := migration.Schema(o)
	return []gen.File{{Path: "0001_eventmap.sql", Content: []byte(text)}}, err
}
