package main

import (
	"context"
	_ "embed"
	"io"
	"os"

	"github.com/eventmap/eventmap/internal/cli"
	"github.com/eventmap/eventmap/internal/gen/catalog"
	"github.com/eventmap/eventmap/internal/output"
)

//go:embed doc.go
var doc string

// owner knows our files by what they say near their beginning. What is in the folders of schemas and of EventCatalog is ours
// as a whole, so that versions that are gone go.
var owner = output.Owner{Tool: "catalog-gen", IsOurs: catalog.IsOurs, Trees: []string{"schemas", "eventcatalog"}}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) (code int) {
	command := cli.Command{Name: "catalog-gen", Manual: cli.Manual(doc), Stdout: stdout, Stderr: stderr}
	flags := command.Flags()
	settings := addSettings(flags)
	if code, done := command.Parse(flags, args); done {
		return code
	}
	if err := settings.complete(flags.Args()); err != nil {
		return command.Misused(err)
	}
	content, err := settings.read(context.Background())
	if err != nil {
		return command.Fail(err)
	}
	if settings.baseline.Against != "" {
		notes, err := settings.changes(content)
		if err != nil {
			return command.Fail(err)
		}
		return command.Print(notes)
	}
	files, err := catalog.Generate(content, settings.formats)
	if err != nil {
		return command.Fail(err)
	}
	plan, err := output.NewPlan(settings.output, files, owner)
	if err != nil {
		return command.Fail(err)
	}
	if settings.check {
		return command.Check(plan)
	}
	return command.Apply(plan)
}
