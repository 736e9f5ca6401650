package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/eventmap/eventmap/internal/astscan"
	"github.com/eventmap/eventmap/internal/cli"
	"github.com/eventmap/eventmap/internal/gen/gocode"
	"github.com/eventmap/eventmap/internal/model"
	"github.com/eventmap/eventmap/internal/output"
)

//go:embed doc.go
var doc string

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) (code int) {
	command := cli.Command{Name: "eventmap-gen", Manual: cli.Manual(doc), Stdout: stdout, Stderr: stderr}
	scan := astscan.Options{IsGenerated: gocode.IsOurs}
	var options gocode.Options
	flags := command.Flags()
	inputs := flags.StringArrayP("input", "i", nil, "")
	flags.StringVarP(&scan.Output, "output", "o", "", "")
	flags.StringVarP(&scan.Package, "package", "p", "", "")
	flags.StringVar(&options.Filename, "filename", "event_mapping.gen.go", "")
	flags.StringVar(&scan.Aggregate, "aggregate", "", "")
	flags.StringSliceVar(&scan.Tags, "tags", nil, "")
	flags.BoolVar(&options.Tests, "tests", true, "")
	check := flags.Bool("check", false, "")
	verbose := flags.BoolP("verbose", "v", false, "")
	if code, done := command.Parse(flags, args); done {
		return code
	}
	var err error
	if scan.Patterns, err = patterns(flags.Args(), *inputs); err != nil {
		return command.Misused(err)
	}
	if scan.Output == "" {
		return command.Misused(errors.New("--output is required"))
	}
	domain, err := astscan.Scan(context.Background(), scan)
	if err != nil {
		return fail(command, err)
	}
	if *verbose {
		explain(stderr, domain)
	}
	files, err := gocode.Generate(domain, options)
	if err != nil {
		return fail(command, err)
	}
	plan, err := output.NewPlan(scan.Output, files, owner)
	if err != nil {
		return fail(command, err)
	}
	if *check {
		return command.Check(plan)
	}
	return command.Apply(plan)
}

// owner knows our files by their header. Those that a run no longer makes go.
var owner = output.Owner{
	Tool:     "eventmap-gen",
	IsOurs:   gocode.IsOurs,
	IsOrphan: gocode.IsOrphan,
}

// explain says what was found and why.
func explain(w io.Writer, domain *model.Domain) {
	for _, note := range domain.Notes {
		_, _ = fmt.Fprintf(w, "%s: %s\n", note.Pos, note.Text)
	}
}

// fail reports an error. Problems in the user's source stand alone on their lines, as editors want them.
func fail(command cli.Command, err error) (code int) {
	if problems, ok := errors.AsType[model.Problems](err); ok {
		_, _ = fmt.Fprintln(command.Stderr, problems)
		return cli.Trouble
	}
	return command.Fail(err)
}
