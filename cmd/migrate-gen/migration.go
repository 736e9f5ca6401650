package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/eventmap/eventmap/internal/cli"
	"github.com/eventmap/eventmap/internal/gen"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/output"
)

// owner knows a migration of ours by its first line. Those that become one go.
func (s *settings) owner() output.Owner {
	squashed := func(name string, _ []byte) bool { return slices.Contains(s.squashed, name) }
	return output.Owner{Tool: "migrate-gen", IsOurs: migration.IsOurs, IsOrphan: squashed}
}

// print prints the migration that makes the whole schema, if it is one file. Several are not printed: one after the
// other, up and down, they would be no migration.
func (s *settings) print(command cli.Command) (code int) {
	writer, design, err := s.plan()
	if err != nil {
		return command.Fail(err)
	}
	files, err := writer.Generate(design)
	if err != nil {
		return command.Fail(err)
	}
	if len(files) > 1 {
		return command.Misused(fmt.Errorf("--output - prints one file, and this format has %d", len(files)))
	}
	return command.Print(string(files[0].Content))
}

// generate returns what is to be in the output folder, or nil and an exit code.
func (s *settings) generate(command cli.Command) (files []gen.File, code int) {
	files, err := s.next(command)
	switch {
	case err == nil:
		return files, cli.Done
	case s.checkOnly && errors.Is(err, migration.ErrFolder):
		command.Fail(err)
		return nil, cli.Different
	}
	return nil, command.Fail(err)
}

func (s *settings) next(command cli.Command) ([]gen.File, error) {
	writer, design, err := s.plan()
	if err != nil {
		return nil, err
	}
	files, err := writer.Next(design, s.files)
	if err != nil {
		return nil, err
	}
	loosened, err := writer.Loosening(design, s.files)
	if err != nil {
		return nil, err
	}
	var problems []error
	for _, lost := range loosened {
		if s.loosens {
			_, _ = fmt.Fprintf(command.Stderr, "%s: taken away: %s\n", command.Name, lost)
			continue
		}
		problems = append(problems, fmt.Errorf("would be taken away: %s; say --allow-loosening if that is meant, or keep what is recorded by "+
			"leaving the flag out", lost))
	}
	return files, errors.Join(problems...)
}

// write adds the files that are missing and prints their paths. It changes no migration that is there, unless it was not
// released: a database may have run it already.
func (s *settings) write(command cli.Command, plan *output.Plan) (code int) {
	var problems []error
	for _, change := range plan.Changes {
		squashed := slices.Contains(s.squashed, filepath.Base(change.Path))
		if change.Old != nil && migration.IsMigration(change.New) && !squashed {
			problems = append(problems, fmt.Errorf("%s exists and differs from what would be written, and a written migration is "+
				"never changed; choose another file name, or, if no database has run it yet, remove it and run again", change.Path))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return command.Fail(err)
	}
	if len(s.squashed) > 0 && !plan.IsCurrent() {
		_, _ = fmt.Fprintf(command.Stderr, "%s: %d files that were not released are replaced; a database that ran them has to be made anew\n",
			command.Name, len(s.squashed))
	}
	return command.Apply(plan)
}
