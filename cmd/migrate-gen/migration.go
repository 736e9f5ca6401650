package main

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/eventmap/eventmap/internal/cli"
	"github.com/eventmap/eventmap/internal/gen"
	"github.com/eventmap/eventmap/internal/gen/sqlcode"
	"github.com/eventmap/eventmap/internal/output"
)

// owner knows a migration of ours by its first line.
var owner = output.Owner{
	Tool:   "migrate-gen",
	IsOurs: func(content []byte) bool { return bytes.HasPrefix(content, []byte(sqlcode.Header)) },
}

// printFile prints the only file. Several are not printed: one after the other, up and down, they would be no migration.
func printFile(command cli.Command, files []gen.File) (code int) {
	if len(files) > 1 {
		return command.Misused(fmt.Errorf("--output - prints one file, and this format has %d", len(files)))
	}
	return command.Print(string(files[0].Content))
}

// write adds the files that are missing and prints their paths. It changes none that is there: a database may have run
// it already.
func write(command cli.Command, plan *output.Plan) (code int) {
	var problems []error
	for _, change := range plan.Changes {
		if change.Old != nil {
			problems = append(problems, fmt.Errorf("%s exists and differs from what would be written, and a written migration is "+
				"never changed; --check shows the difference; restore the file or the flags, or, if no database has run "+
				"it yet, remove it and run again", change.Path))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return command.Fail(err)
	}
	return command.Apply(plan)
}
