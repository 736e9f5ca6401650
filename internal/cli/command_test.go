package cli_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/internal/cli"
)

// result is what a run of a command leaves behind.
type result struct {
	Code           int
	Done           bool
	Stdout, Stderr string
}

func parse(args ...string) result {
	var stdout, stderr strings.Builder
	command := cli.Command{Name: "tool", Manual: "Tool does things.\n", Stdout: &stdout, Stderr: &stderr}
	flags := command.Flags()
	flags.Bool("check", false, "")
	flags.StringP("output", "o", "", "")
	flags.StringArray("domain", nil, "")
	code, done := command.Parse(flags, args)
	return result{code, done, stdout.String(), stderr.String()}
}

func TestCommand_Parse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		args []string
		want result
	}{
		{[]string{"--check", "-o", "x", "y"}, result{}},
		{[]string{"--help"}, result{Done: true, Stdout: "Tool does things.\n"}},
		{[]string{"--check", "-h"}, result{Done: true, Stdout: "Tool does things.\n"}},
		{[]string{"--version"}, result{Done: true, Stdout: "tool " + cli.Version() + "\n"}},
		{[]string{"--chekc"}, result{cli.Trouble, true, "", "tool: unknown flag: --chekc; see tool --help\n"}},
		{[]string{"--input", "x"}, result{cli.Trouble, true, "", "tool: unknown flag: --input; here it is --domain; see tool --help\n"}},
		{[]string{"-x"}, result{cli.Trouble, true, "", "tool: unknown shorthand flag: 'x' in -x; see tool --help\n"}},
		{[]string{"-o"}, result{cli.Trouble, true, "", "tool: flag needs an argument: 'o' in -o; see tool --help\n"}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, parse(tt.args...)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", tt.args, diff)
		}
	}
}

func TestCommand_Fail_eachErrorHasALine(t *testing.T) {
	t.Parallel()
	var stderr strings.Builder
	command := cli.Command{Name: "tool", Stderr: &stderr}
	code := command.Fail(errors.Join(errors.New("first"), errors.New("second")))
	if want := "tool: first\ntool: second\n"; code != cli.Trouble || stderr.String() != want {
		t.Errorf("got %d and %q, want %d and %q", code, stderr.String(), cli.Trouble, want)
	}
}

// brokenPipe is a standard output that nobody reads.
type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestCommand_Print_failureIsTrouble(t *testing.T) {
	t.Parallel()
	var stderr strings.Builder
	command := cli.Command{Name: "tool", Stdout: brokenPipe{}, Stderr: &stderr}
	if code := command.Print("x"); code != cli.Trouble || stderr.String() != "tool: broken pipe\n" {
		t.Errorf("got %d and %q", code, stderr.String())
	}
}

func TestManual(t *testing.T) {
	t.Parallel()
	got := cli.Manual("// Copyright\n\n/*\nTool does things.\n\n# Flags\n\n\t-x  it does\n*/\npackage main\n")
	if want := "Tool does things.\n\nFlags\n\n\t-x  it does\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
