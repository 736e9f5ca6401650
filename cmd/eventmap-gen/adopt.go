package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/eventmap/eventmap/internal/adopt"
	"github.com/eventmap/eventmap/internal/astscan"
	"github.com/eventmap/eventmap/internal/cli"
	"github.com/eventmap/eventmap/internal/gen/gocode"
	"github.com/eventmap/eventmap/internal/goload"
	"github.com/eventmap/eventmap/internal/model"
)

//go:embed adopt.txt
var adoptManual string

// adoption is what the command line of eventmap-gen adopt says.
type adoption struct {
	write    bool
	payloads string // a file
	tags     []string
	patterns []string
}

// runAdopt proposes marks for code that exists, or writes them.
func runAdopt(args []string, stdout, stderr io.Writer) (code int) {
	command := cli.Command{Name: "eventmap-gen adopt", Manual: adoptManual, Stdout: stdout, Stderr: stderr}
	flags := command.Flags()
	var a adoption
	var inputs []string
	flags.StringArrayVarP(&inputs, "input", "i", nil, "")
	flags.BoolVar(&a.write, "write", false, "")
	flags.StringVar(&a.payloads, "payloads", "", "")
	flags.StringSliceVar(&a.tags, "tags", nil, "")
	if code, done := command.Parse(flags, args); done {
		return code
	}
	var err error
	if a.patterns, err = cli.Patterns(flags.Args(), inputs); err != nil {
		return command.Misused(err)
	}
	program, err := a.load(nil)
	if err != nil {
		return command.Fail(err)
	}
	proposal := adopt.Find(program)
	files, err := proposal.Files()
	if err != nil {
		return command.Fail(err)
	}
	domain, problems := a.scan(program, proposal, files)
	if proposal.Events == 0 && !proposal.Marked {
		problems = nil // there is nothing to scan
	}
	left := report(stderr, proposal, problems)
	if proposal.Events == 0 && !proposal.Marked && left == cli.Done {
		return command.Fail(fmt.Errorf("no events found in %s: nothing names one, applies one to a state or handles one; mark them by hand, see eventmap-gen --help%s", strings.Join(a.patterns, " "), program.OtherModules()))
	}
	if code := a.show(command, files); code != cli.Done {
		return code
	}
	if a.payloads == "" {
		return left
	}
	if domain == nil {
		return command.Fail(fmt.Errorf("--payloads: the events cannot be read before the above is settled"))
	}
	return max(left, a.checkPayloads(command, domain))
}

// load reads the packages with what each identifier means, and with what files are to hold.
func (a *adoption) load(overlay map[string][]byte) (*goload.Program, error) {
	dir, err := goload.NewDir("")
	if err != nil {
		return nil, err
	}
	program, err := goload.Load(context.Background(), goload.Options{
		Dir: dir, Patterns: a.patterns, Tags: a.tags, IsGenerated: gocode.IsOurs, Info: true, Overlay: overlay,
	})
	if err != nil {
		return nil, err
	}
	if err := program.Build(&goload.Output{}).Problems.Err(); err != nil {
		return nil, err
	}
	return program, nil
}

// scan reads the marks as eventmap-gen would if they were written. Types that are to be added take another load.
func (a *adoption) scan(program *goload.Program, proposal *adopt.Proposal, files []adopt.File) (*model.Domain, error) {
	if proposal.Declares() {
		overlay := map[string][]byte{}
		for _, f := range files {
			overlay[f.Path] = f.New
		}
		var err error
		if program, err = a.load(overlay); err != nil {
			return nil, err
		}
	} else {
		proposal.Mark()
	}
	return astscan.ScanProgram(program, astscan.Options{Patterns: a.patterns, Tags: a.tags, IsGenerated: gocode.IsOurs})
}

// report writes what a person has to decide: the questions, and what eventmap-gen would say to the marks. It returns
// Different if there is anything.
func report(w io.Writer, proposal *adopt.Proposal, err error) (code int) {
	for _, n := range proposal.Notes {
		_, _ = fmt.Fprintf(w, "- %s: %s\n", n.Pos, n.Text)
	}
	for _, q := range proposal.Questions {
		_, _ = fmt.Fprintf(w, "? %s: %s\n", q.Pos, q.Text)
		code = cli.Different
	}
	if err == nil || len(proposal.Marks) == 0 && code != cli.Done {
		return code
	}
	if problems, ok := errors.AsType[model.Problems](err); ok {
		for _, p := range problems {
			_, _ = fmt.Fprintf(w, "? %s: with these marks: %s\n", p.Pos, p.Message)
		}
	} else {
		_, _ = fmt.Fprintf(w, "? %v\n", err)
	}
	return cli.Different
}

// show prints the marks as a diff with their reasons, or writes them and prints the paths of the files.
func (a *adoption) show(command cli.Command, files []adopt.File) (code int) {
	var out strings.Builder
	for _, f := range files {
		if !a.write {
			for _, reason := range f.Reasons {
				out.WriteString("# " + reason + "\n")
			}
			out.Write(diff.Diff(f.Name, f.Old, f.Name, f.New))
			continue
		}
		for _, reason := range f.Reasons {
			_, _ = fmt.Fprintf(command.Stderr, "+ %s\n", reason)
		}
		if err := replaceSource(f); err != nil {
			return command.Fail(err)
		}
		out.WriteString(f.Name + "\n")
	}
	return command.Print(out.String())
}

// replaceSource replaces a source file, unless it has changed since it was read.
func replaceSource(f adopt.File) error {
	now, err := os.ReadFile(f.Path)
	if err != nil {
		return err
	}
	if string(now) != string(f.Old) {
		return fmt.Errorf("%s has changed in the meantime; run it again", f.Name)
	}
	return os.WriteFile(f.Path, f.New, 0o644)
}

// checkPayloads compares a dump with the events, prints what came of it, and returns Different if anything is lost.
func (a *adoption) checkPayloads(command cli.Command, domain *model.Domain) (code int) {
	dump, err := os.Open(a.payloads)
	if err != nil {
		return command.Fail(fmt.Errorf("--payloads: %w", err))
	}
	defer func() { _ = dump.Close() }()
	tallies, bad, err := adopt.CheckPayloads(domain, dump)
	if err != nil {
		return command.Fail(fmt.Errorf("--payloads: %w", err))
	}
	var out strings.Builder
	for _, line := range bad {
		_, _ = fmt.Fprintf(command.Stderr, "%s:%d: %s\n", a.payloads, line.Line, line.Why)
		code = cli.Different
	}
	if len(tallies)+len(bad) == 0 {
		_, _ = fmt.Fprintf(command.Stderr, "%s: holds no payloads, so nothing was checked\n", a.payloads)
		code = cli.Different
	}
	for _, t := range tallies {
		if t.Unknown {
			fmt.Fprintf(&out, "%s: no event has that type: %d\n", t.Event, t.Broken)
			code = cli.Different
			continue
		}
		fmt.Fprintf(&out, "%s: %d whole, %d lose something, %d do not decode\n", t.Event, t.Whole, t.Lossy, t.Broken)
		for _, fault := range slices.Sorted(maps.Keys(t.Faults)) {
			fmt.Fprintf(&out, "\t%s: %d, first at %s:%d\n", fault, t.Faults[fault], a.payloads, t.First[fault])
		}
		if t.Lossy+t.Broken > 0 {
			code = cli.Different
		}
	}
	return max(code, command.Print(out.String()))
}
