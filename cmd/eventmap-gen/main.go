package main

import (
	"context"
	_ "embed"
	"io"
	"os"

	"github.com/eventmap/eventmap/internal/astscan"
	"github.com/eventmap/eventmap/internal/cli"
	"github.com/eventmap/eventmap/internal/gen/gocode"
	"github.com/eventmap/eventmap/internal/schemalock"
)

//go:embed doc.go
var doc string

func main() {
	if os.Getenv("GOGC") == "" {
		deferCollection()
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) (code int) {
	if len(args) > 0 && args[0] == "adopt" {
		return runAdopt(args[1:], stdout, stderr)
	}
	command := cli.Command{Name: "eventmap-gen", Manual: cli.Manual(doc), Stdout: stdout, Stderr: stderr}
	flags := command.Flags()
	settings := addSettings(flags)
	if code, done := command.Parse(flags, args); done {
		return code
	}
	if err := settings.complete(flags.Args()); err != nil {
		return command.Misused(err)
	}
	if err := settings.refuseForeign(); err != nil {
		return command.Misused(err)
	}
	command.Annotates = settings.format == string(schemalock.GitHubActions)
	domain, err := astscan.Scan(context.Background(), settings.scan.Options)
	if err != nil {
		return command.Fail(err)
	}
	if settings.verbose {
		explain(stderr, domain)
	}
	judged, files, err := settings.judgeAndGenerate(domain)
	if err != nil {
		return command.Fail(err)
	}
	if command, err = settings.tell(command, judged); err != nil {
		return command.Fail(err)
	}
	if len(judged.Findings.Breaking()) > 0 {
		return cli.Different
	}
	settings.summarize(command, domain, judged)
	if judged.First && len(domain.Doubts) > 0 {
		return cli.Different
	}
	for _, e := range judged.Accepted {
		gocode.RenewSample(files, e.Aggregate, e.Name, e.Version)
	}
	plan, err := settings.folder.Plan(append(files, settings.lockFile(judged)), owner)
	if err != nil {
		return command.Fail(err)
	}
	if settings.check {
		return command.Check(plan)
	}
	return command.Apply(plan)
}
