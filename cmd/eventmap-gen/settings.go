package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/pflag"

	"github.com/eventmap/eventmap/internal/astscan"
	"github.com/eventmap/eventmap/internal/cli"
	"github.com/eventmap/eventmap/internal/gen"
	"github.com/eventmap/eventmap/internal/gen/gocode"
	"github.com/eventmap/eventmap/internal/model"
	"github.com/eventmap/eventmap/internal/output"
	"github.com/eventmap/eventmap/internal/schemalock"
)

// settings is what the command line says. The flags are described in doc.go, which is the manual.
type settings struct {
	scan     cli.Scan
	generate gocode.Options
	folder   *output.Folder // that is generated into
	baseline schemalock.Baseline
	lockPath string   // of the schema lock, from the output folder
	moved    []string // OLD=NEW, of packages
	accepted []string // events whose breaking changes are taken
	format   string   // of findings
	check    bool
	verbose  bool
}

// addSettings adds the flags. The settings are filled when the flags are parsed.
func addSettings(flags *pflag.FlagSet) *settings {
	s := settings{scan: cli.Scan{Options: astscan.Options{IsGenerated: gocode.IsOurs}}}
	s.scan.AddFlags(flags)
	flags.StringVarP(&s.scan.Output, "output", "o", "", "")
	flags.StringVarP(&s.scan.Package, "package", "p", "", "")
	flags.StringVar(&s.generate.Filename, "filename", "event_mapping.gen.go", "")
	flags.BoolVar(&s.generate.JSON, "json", true, "")
	flags.BoolVar(&s.generate.Mappers, "mappers", true, "")
	flags.BoolVar(&s.generate.Tests, "tests", true, "")
	flags.BoolVar(&s.generate.Scenarios, "scenarios", true, "")
	flags.StringVar(&s.baseline.Path, "lock", "", "")
	flags.StringVar(&s.baseline.Against, "against", "", "")
	flags.StringSliceVar(&s.moved, "moved", nil, "")
	flags.StringSliceVar(&s.accepted, "accept-breaking", nil, "")
	flags.StringVar(&s.format, "format", string(schemalock.Formats[0]), "")
	flags.BoolVar(&s.check, "check", false, "")
	flags.BoolVarP(&s.verbose, "verbose", "v", false, "")
	return &s
}

// complete takes the arguments that are no flags, and returns an error for what the command line cannot mean.
func (s *settings) complete(args []string) (err error) {
	if err = s.scan.Complete(args); err != nil {
		return err
	}
	if s.scan.Output == "" {
		if len(args) > 0 && !strings.ContainsAny(args[0], "./\\") {
			return fmt.Errorf("there is no command %q; there is adopt, and else packages to scan, such as ./domain/..., and --output", args[0])
		}
		return errors.New("--output is required")
	}
	if s.baseline.Path == "" {
		s.baseline.Path = filepath.Join(s.scan.Output, schemalock.Filename)
	}
	if s.lockPath, err = relative(s.scan.Output, s.baseline.Path); err != nil {
		return err
	}
	s.folder = output.NewFolder(s.scan.Output)
	s.generate.Current, s.scan.ReadFile = s.folder.Current, s.folder.ReadFile
	for _, text := range s.moved {
		move, err := schemalock.ParseMove(text)
		if err != nil {
			return err
		}
		s.baseline.Moved = append(s.baseline.Moved, move)
	}
	for i := range s.accepted {
		s.accepted[i] = strings.TrimSpace(s.accepted[i])
	}
	if !slices.Contains(schemalock.Formats, schemalock.Format(s.format)) {
		return fmt.Errorf("--format %q: it is one of %s", s.format, joined(schemalock.Formats))
	}
	return nil
}

// refuseForeign returns an error if the output folder holds a package that people wrote, and nobody said that it is meant. The
// first time only: later the folder holds code of ours too. The domain's own folder, given as input, is meant.
func (s *settings) refuseForeign() error {
	file := output.ForeignFile(s.scan.Output, owner)
	isInput := func(dir string) bool { return filepath.Clean(dir) == filepath.Clean(s.scan.Output) }
	if file == "" || s.scan.Package != "" || slices.ContainsFunc(s.scan.Inputs, isInput) {
		return nil
	}
	return fmt.Errorf("--output %s holds a package that was written by hand (%s); choose a folder of its own, or give --package NAME with the name of that package to generate into it", s.scan.Output, filepath.ToSlash(file))
}

// hasGenerated reports whether there is code in the output folder that was generated before.
func (s *settings) hasGenerated() bool { return output.HasOwn(s.scan.Output, owner) }

// judgeAndGenerate compares the domain with its lock and makes its files: both at once, unless the lock has to tell first
// which personal data is stored in clear.
func (s *settings) judgeAndGenerate(domain *model.Domain) (*schemalock.Judgement, []gen.File, error) {
	var files []gen.File
	var generateErr error
	var group sync.WaitGroup
	generate := func() { files, generateErr = gocode.Generate(domain, s.generate) }
	lockFirst := domain.HasPersonal()
	if !lockFirst {
		group.Go(generate)
	}
	judged, err := schemalock.Judge(domain, s.baseline, s.accepted, s.hasGenerated)
	if lockFirst && err == nil {
		generate()
	}
	group.Wait()
	if err == nil {
		err = generateErr
	}
	return judged, files, err
}

// lockFile returns the schema lock as it is to be written.
func (s *settings) lockFile(judged *schemalock.Judgement) gen.File {
	return gen.File{Path: s.lockPath, Content: judged.Content}
}

// joined lists names for a message.
func joined[S ~string](names []S) string {
	var list []string
	for _, name := range names {
		list = append(list, string(name))
	}
	return strings.Join(list, ", ")
}

// relative returns the path of a file from a folder, with forward slashes.
func relative(dir, path string) (string, error) {
	absDir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	absPath, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(absDir, absPath)
	return filepath.ToSlash(rel), err
}
