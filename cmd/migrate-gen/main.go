package main

import (
	"context"
	_ "embed"
	"io"
	"os"

	"github.com/eventmap/eventmap/internal/cli"
	"github.com/eventmap/eventmap/internal/output"
)

//go:embed doc.go
var doc string

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) (code int) {
	command := cli.Command{Name: "migrate-gen", Manual: cli.Manual(doc), Stdout: stdout, Stderr: stderr}
	flags := command.Flags()
	settings := addSettings(flags)
	if code, done := command.Parse(flags, args); done {
		return code
	}
	if err := settings.check(flags); err != nil {
		return command.Misused(err)
	}
	if err := settings.recall(flags); err != nil {
		return command.Fail(err)
	}
	ctx := context.Background()
	if err := settings.scan(ctx); err != nil {
		return command.Fail(err)
	}
	if settings.doctor {
		return settings.diagnose(ctx, command)
	}
	if settings.folder == toStdout {
		return settings.print(command)
	}
	files, code := settings.generate(command)
	if files == nil {
		return code
	}
	plan, err := output.NewPlan(settings.folder, files, settings.owner())
	if err != nil {
		return command.Fail(err)
	}
	if settings.checkOnly {
		return command.Check(plan)
	}
	return settings.write(command, plan)
}
