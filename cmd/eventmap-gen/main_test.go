package main

import (
	"bytes"
	"flag"
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/tools/imports"
	"golang.org/x/tools/txtar"

	"github.com/eventmap/eventmap/internal/cli/clitest"
)

var update = flag.Bool("update", false, "write the golden files of the scripts anew")

func TestMain(m *testing.M) {
	// Unless the command line says otherwise: what a change has to pass is not left to luck.
	for name, value := range map[string]string{"rapid.checks": "1", "rapid.seed": "1"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	testscript.Main(m, map[string]func(){"eventmap-gen": main})
}

// TestScripts runs the command as a user would, each script in a module of its own. What is generated is compared with
// the script's golden files, compiled, vetted and run.
func TestScripts(t *testing.T) {
	t.Parallel()
	repo, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	env := append(clitest.GoEnv(t), "GOPROXY=off", "GOFLAGS=-mod=mod", "GOWORK=") // no network is needed
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Vars = append(e.Vars, env...)
			e.Vars = append(e.Vars, "REPO="+repo)
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits":      clitest.Exits,
			"module":     clitest.Module,
			"sound":      sound,
			"crlf":       crlf,
			"adopted":    adopted,
			"documented": documented,
		},
	})
}

// checkFormatted returns an error if gofmt or goimports would change the file.
func checkFormatted(name string) error {
	source, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	formatted, err := format.Source(source)
	if err != nil {
		return err
	}
	if !bytes.Equal(formatted, source) {
		return fmt.Errorf("gofmt would change %s:\n%s", name, source)
	}
	imported, err := imports.Process(name, source, nil)
	if err != nil {
		return err
	}
	if !bytes.Equal(imported, source) {
		return fmt.Errorf("goimports would change %s:\n%s", name, source)
	}
	return nil
}

// sound is the script command "sound DIR flags...": eventmap-gen --output DIR with these flags has nothing left to do, and
// what it wrote there is formatted and passes vet and its own tests.
func sound(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: sound DIR [flags...]")
	}
	dir := args[0]
	clitest.Exits(ts, false, append([]string{"0", "eventmap-gen", "--check", "--output", dir}, args[1:]...))
	for _, pattern := range []string{"*.go", "*test/*.go"} {
		written, err := filepath.Glob(filepath.Join(ts.MkAbs(dir), pattern))
		ts.Check(err)
		for _, name := range written {
			ts.Check(checkFormatted(name))
		}
	}
	ts.Check(ts.Exec("go", "vet", "./..."))
	ts.Check(ts.Exec("go", "test", "./..."))
}

// adopted is the script command "adopted SHAPE...": each is a module of internal/adopt's testdata, in the shape that code
// for some library has. Adopt --write leaves nothing to do by hand: what eventmap-gen then generates is sound, and adopt has no
// more to say.
func adopted(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: adopted SHAPE...")
	}
	home := ts.MkAbs(".")
	for _, shape := range args {
		archive, err := txtar.ParseFile(filepath.Join(ts.Getenv("REPO"), "internal", "adopt", "testdata", shape+".txtar"))
		ts.Check(err)
		dir := filepath.Join(home, shape)
		for _, f := range archive.Files {
			if f.Name == "want" {
				continue
			}
			name := filepath.Join(dir, filepath.FromSlash(f.Name))
			ts.Check(os.MkdirAll(filepath.Dir(name), 0o700))
			ts.Check(os.WriteFile(name, f.Data, 0o600))
		}
		ts.Check(ts.Chdir(dir))
		ts.Check(clitest.WriteModule(dir, "example.com/m", ts.Getenv("REPO")))
		clitest.Exits(ts, false, []string{"0", "eventmap-gen", "adopt", "--write", "./..."})
		clitest.Exits(ts, false, []string{"0", "eventmap-gen", "--input", ".", "--output", "store"})
		sound(ts, false, []string{"store", "--input", "."})
		clitest.Exits(ts, false, []string{"0", "eventmap-gen", "adopt", "./..."}) // and what was generated raises no question
		ts.Check(ts.Chdir(home))
	}
}

// crlf is the script command "crlf FILE": it gives the file the line ends of Windows.
func crlf(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: crlf FILE")
	}
	text := strings.ReplaceAll(ts.ReadFile(args[0]), "\n", "\r\n")
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// summary matches what a run says about changes of the set of events.
var summary = regexp.MustCompile(`(?m)^[+-] .*\n`)

// documented is the script command "documented FILE": docs/evolution.md quotes the file, as an indented block or a fenced
// one, but for the summary of what changed.
func documented(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: documented FILE")
	}
	guide, err := os.ReadFile(filepath.Join(ts.Getenv("REPO"), "docs", "evolution.md"))
	ts.Check(err)
	quoted := summary.ReplaceAllString(ts.ReadFile(args[0]), "")
	indented := "    " + strings.ReplaceAll(strings.TrimSuffix(quoted, "\n"), "\n", "\n    ") + "\n"
	if !strings.Contains(string(guide), indented) && !strings.Contains(string(guide), "\n"+quoted) {
		ts.Fatalf("docs/evolution.md does not quote this:\n%s", quoted)
	}
}
