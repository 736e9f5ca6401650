// Package docs_test runs what the documentation shows.
package docs_test

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/tools/txtar"

	"github.com/eventmap/eventmap/internal/cli/clitest"
	"github.com/eventmap/eventmap/internal/pgtest"
)

// TestQuickstart does what the page says.
func TestQuickstart(t *testing.T) {
	t.Parallel()
	runPage(t, page{name: "quickstart.md"})
}

// TestQuickstart_fromAClone does it with a clone in place of a release, as the end of the page has it.
func TestQuickstart_fromAClone(t *testing.T) {
	t.Parallel()
	runPage(t, page{name: "quickstart.md", clone: true})
}

// TestAdoption does what the page says.
func TestAdoption(t *testing.T) {
	t.Parallel()
	runPage(t, page{name: "adoption.md"})
}

// TestService does what the page says, on a database of its own.
func TestService(t *testing.T) {
	t.Parallel()
	runPage(t, page{name: "service.md", databaseURL: pgtest.New(t)})
}

// A page is a page of commands, and what they find where they run.
type page struct {
	name        string
	files       string // the folder that is there before
	databaseURL string
	clone       bool   // what the page's block of shell says takes the place of go get
	after       string // commands of a script that follow those of the page
}

// runPage does what a page says, line by line: it writes its files, runs its commands and compares what they print, where
// the page shows it. Only what go get brings comes from this checkout.
func runPage(t *testing.T, p page) {
	t.Helper()
	checkout, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	said := blocks(t, p.name)
	module, env := moduleFiles(t, checkout), append(clitest.GoEnv(t), "GOWORK=off", "DATABASE_URL="+p.databaseURL)
	if p.clone {
		module["go.mod"] = cloneModule(t, said, checkout)
		env = append(env, "GOFLAGS=-mod=mod")
	}
	page := scriptOf(said, module)
	page.Comment = append(page.Comment, p.after...)
	script := filepath.Join(t.TempDir(), strings.TrimSuffix(p.name, ".md")+".txtar")
	if err := os.WriteFile(script, txtar.Format(page), 0o600); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Files:               []string{script},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"migrate": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Check(migrate(p.databaseURL, ts.MkAbs(args[0])))
			},
		},
		Setup: func(e *testscript.Env) error {
			e.Vars = append(e.Vars, env...)
			if p.files == "" {
				return nil
			}
			return os.CopyFS(e.WorkDir, os.DirFS(p.files))
		},
	})
}

// cloneModule returns the go.mod that the page's block of shell leaves behind, for a clone that is the checkout. The block also
// exports the one setting that runPage has in the environment.
func cloneModule(t *testing.T, page []block, checkout string) string {
	t.Helper()
	i := slices.IndexFunc(page, func(b block) bool { return b.language == "sh" })
	if i < 0 || !strings.Contains(page[i].text, "\nexport GOFLAGS=-mod=mod\n") {
		t.Fatal("the page does not say how a clone takes the place of a release")
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module example.com/shop\n")
	shell(t, dir, "", strings.ReplaceAll(page[i].text, "../eventmap\n", "'"+checkout+"'\n"))
	return read(t, filepath.Join(dir, "go.mod"))
}

// scriptOf returns a page as a script. A Go block is a file that is named in its first line. A console block holds commands
// and, below, what they print, as a person at a terminal sees it, but for what the go command says of modules that it looks for;
// where a page shows nothing of it, the command succeeds.
// module is what the go get commands leave behind, and what psql would run is run without it.
func scriptOf(page []block, module map[string]string) *txtar.Archive {
	script := &txtar.Archive{}
	var commands strings.Builder
	file := func(text string) (name string) {
		name = fmt.Sprintf(".page/%d", len(script.Files))
		script.Files = append(script.Files, txtar.File{Name: name, Data: []byte(text)})
		return name
	}
	for _, b := range page {
		switch b.language {
		case "go":
			name := b.fileName()
			fmt.Fprintf(&commands, "mkdir %s\ncp %s %s\n", path.Dir(name), file(b.text), name)
		case "console":
			for _, step := range strings.Split("\n"+b.text, "\n$ ")[1:] {
				command, prints, _ := strings.Cut(strings.TrimSuffix(step, "\n")+"\n", "\n")
				fmt.Fprintf(&commands, "\n# %s\n", command)
				if strings.HasPrefix(command, "go get ") {
					fmt.Fprintf(&commands, "cp %s go.mod\ncp %s go.sum\n", file(module["go.mod"]), file(module["go.sum"]))
					continue
				}
				if strings.HasPrefix(command, "psql ") {
					fmt.Fprintf(&commands, "migrate %s\n", command[strings.LastIndex(command, " ")+1:])
					continue
				}
				if prints == "" {
					fmt.Fprintf(&commands, "exec sh %s\n", file(command+"\n"))
				} else {
					fmt.Fprintf(&commands, "exec sh %s\ncmp stdout %s\n", file("{\n"+command+"\n} 2>&1 | sed '/^go: finding module /d; /^go: downloading /d'\n"), file(prints))
				}
			}
		}
	}
	script.Comment = []byte(commands.String())
	return script
}
