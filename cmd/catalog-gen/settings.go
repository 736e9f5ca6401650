package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/eventmap/eventmap/internal/astscan"
	"github.com/eventmap/eventmap/internal/cli"
	"github.com/eventmap/eventmap/internal/gen/catalog"
	"github.com/eventmap/eventmap/internal/gen/gocode"
	"github.com/eventmap/eventmap/internal/schemalock"
)

// settings is what the command line says. The flags are described in doc.go, which is the manual.
type settings struct {
	scan     cli.Scan
	output   string
	store    string   // the folder of the package that eventmap-gen wrote
	handlers []string // patterns of the application
	title    string
	formats  []string
	baseline schemalock.Baseline // of --changes
	check    bool
}

// addSettings adds the flags. The settings are filled when the flags are parsed.
func addSettings(flags *pflag.FlagSet) *settings {
	s := settings{scan: cli.Scan{Options: astscan.Options{IsGenerated: gocode.IsOurs}}, baseline: schemalock.Baseline{Flag: "--changes"}}
	s.scan.AddFlags(flags)
	flags.StringVarP(&s.output, "output", "o", "", "")
	flags.StringVar(&s.store, "store", "", "")
	flags.StringArrayVar(&s.handlers, "handlers", nil, "")
	flags.StringVar(&s.title, "title", "Events", "")
	flags.StringSliceVar(&s.formats, "format", nil, "")
	flags.StringVar(&s.baseline.Path, "lock", "", "")
	flags.StringVar(&s.baseline.Against, "changes", "", "")
	flags.BoolVar(&s.check, "check", false, "")
	return &s
}

// forms are how --changes is written; the first is the default.
var forms = []string{"text", "json"}

// complete takes the arguments that are no flags, and returns an error for what the command line cannot mean.
func (s *settings) complete(args []string) (err error) {
	if err = s.scan.Complete(args); err != nil {
		return err
	}
	changes := s.baseline.Against != ""
	known, fallback := catalog.Formats, catalog.Formats
	if changes {
		known, fallback = forms, forms[:1]
	}
	if len(s.formats) == 0 {
		s.formats = fallback
	}
	for _, format := range s.formats {
		if !slices.Contains(known, format) {
			return fmt.Errorf("--format %q: it is one of %s", format, strings.Join(known, ", "))
		}
	}
	switch {
	case changes && s.output != "":
		return errors.New("--changes prints, and takes no --output")
	case changes && s.check:
		return errors.New("--changes prints, and has nothing to --check")
	case changes && len(s.formats) > 1:
		return errors.New("--changes is printed in one --format")
	case !changes && s.output == "":
		return errors.New("--output is required")
	case len(s.handlers) > 0 && s.store == "":
		return errors.New("--handlers needs --store: handlers are known by the package that eventmap-gen wrote")
	case changes && s.store == "" && s.baseline.Path == "":
		return errors.New("--changes needs the schema lock: name it with --lock, or its folder with --store")
	}
	if s.baseline.Path == "" {
		s.baseline.Path = filepath.Join(s.store, schemalock.Filename)
	}
	return nil
}
