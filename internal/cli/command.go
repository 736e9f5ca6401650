// Package cli is the shell around the commands: exit codes, flags, the manual, and the version. A command's main
// function is os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)); results go to standard output, all else to standard error.
package cli

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/spf13/pflag"

	"github.com/eventmap/eventmap/internal/annotation"
	"github.com/eventmap/eventmap/internal/model"
)

// The exit codes of every command.
const (
	Done      = 0 // the work is done, or there was nothing to do
	Different = 1 // --check, or a like question, was answered by no
	Trouble   = 2 // the command could not do its work
)

// A Command is a program by its name and its manual.
type Command struct {
	Name   string
	Manual string // printed by --help; see Manual
	Stdout io.Writer
	Stderr io.Writer
	// Annotates says that errors, and files that are not current, are also written to standard output as annotations.
	Annotates bool
}

// elsewhere are flags by the names that they have in other commands of ours.
var elsewhere = map[string]string{"input": "domain", "domain": "input"}

// Flags returns an empty set of flags for Parse.
func (c Command) Flags() *pflag.FlagSet {
	flags := pflag.NewFlagSet(c.Name, pflag.ContinueOnError)
	flags.SortFlags = false
	flags.Usage = func() {} // an error is one line, not the manual
	return flags
}

// Parse adds --help and --version to the flags and parses args. If done is true there is no more to do than to exit with
// the code: help or the version was printed, or the flags were wrong and the reason was printed.
func (c Command) Parse(flags *pflag.FlagSet, args []string) (code int, done bool) {
	help := flags.BoolP("help", "h", false, "print the manual")
	version := flags.Bool("version", false, "print the version")
	if err := misdashed(flags, args); err != nil {
		return c.Misused(err), true
	}
	err := flags.Parse(args)
	var unknown *pflag.NotExistError
	switch {
	case errors.As(err, &unknown) && flags.Lookup(elsewhere[unknown.GetSpecifiedName()]) != nil:
		return c.Misused(fmt.Errorf("%w; here it is --%s", err, elsewhere[unknown.GetSpecifiedName()])), true
	case err != nil:
		return c.Misused(err), true
	case *help:
		return c.Print(c.Manual), true
	case *version:
		return c.Print(c.Name + " " + Version() + "\n"), true
	}
	return Done, false
}

// misdashed returns an error for a flag's name behind one dash, which would be read as several short flags, or as one and its
// value.
func misdashed(flags *pflag.FlagSet, args []string) error {
	for _, arg := range args {
		if arg == "--" {
			break
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(arg, "-"), "=")
		if len(name) > 1 && strings.HasPrefix(arg, "-") && !strings.HasPrefix(arg, "--") && flags.Lookup(name) != nil {
			return fmt.Errorf("-%s: write --%s, with two dashes", name, name)
		}
	}
	return nil
}

// Print writes a result to standard output and returns Done; or Trouble, said on standard error, if that fails.
func (c Command) Print(result string) (code int) {
	if _, err := io.WriteString(c.Stdout, result); err != nil {
		return c.Fail(err)
	}
	return Done
}

// Misused reports an error in the command line and returns Trouble.
func (c Command) Misused(err error) (code int) {
	return c.Fail(fmt.Errorf("%w; see %s --help", err, c.Name))
}

// Fail reports the error, or each of those that were joined in it, on a line of standard error that begins with the
// command's name, and returns Trouble. Problems in the user's source stand alone on their lines, as editors want them.
func (c Command) Fail(err error) (code int) {
	c.annotateError(err)
	if problems, ok := errors.AsType[model.Problems](err); ok {
		_, _ = fmt.Fprintln(c.Stderr, problems)
		return Trouble
	}
	told := map[string]bool{} // a driver says of every address, with TLS and without, why it cannot be reached
	for line := range strings.Lines(err.Error()) {
		if line = strings.TrimSuffix(line, "\n"); !told[line] {
			told[line] = true
			_, _ = fmt.Fprintf(c.Stderr, "%s: %s\n", c.Name, line)
		}
	}
	return Trouble
}

// Annotate writes a note as an annotation, if the command annotates.
func (c Command) Annotate(severity string, note model.Note) {
	if c.Annotates {
		_ = annotation.Annotation{Severity: severity, Pos: note.Pos, Title: c.Name, Text: note.Text}.Write(c.Stdout)
	}
}

// annotateError writes an error, or each of its problems, as annotations, if the command annotates.
func (c Command) annotateError(err error) {
	if !c.Annotates {
		return
	}
	if problems, ok := errors.AsType[model.Problems](err); ok {
		for _, p := range problems.Sorted() {
			_ = annotation.Annotation{Severity: "error", Pos: p.Pos, Title: c.Name, Text: p.Message}.Write(c.Stdout)
		}
		return
	}
	_ = annotation.Annotation{Severity: "error", Title: c.Name, Text: err.Error()}.Write(c.Stdout)
}

// Manual returns the manual in the source of a command's doc.go: the package comment, which is one between /* and */,
// with its headings as plain lines. So what the program prints is what its documentation says.
func Manual(source string) string {
	_, rest, opened := strings.Cut(source, "/*\n")
	comment, _, closed := strings.Cut(rest, "*/\n")
	if !opened || !closed {
		panic("cli: the manual has to be a comment between /* and */")
	}
	return strings.ReplaceAll(comment, "\n# ", "\n")
}

// Version returns the version of the module that the program was built from, as the go command recorded it; a build
// from a checkout that it knows no version of is "(devel)".
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
