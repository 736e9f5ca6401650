// Package docs_test runs what the documentation shows.
package docs_test

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/tools/txtar"

	"github.com/eventmap/eventmap/internal/cli/clitest"
)

// TestQuickstart does what the page says.
func TestQuickstart(t *testing.T) {
	t.Parallel()
	runPage(t, "quickstart.md")
}

// TestAdoption does what the page says.
func TestAdoption(t *testing.T) {
	t.Parallel()
	runPage(t, "adoption.md")
}

// runPage does what a page says, line by line: it writes its files, runs its commands and compares what they print, where
// the page shows it. Only what go get brings comes from this checkout.
func runPage(t *testing.T, name string) {
	t.Helper()
	checkout, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	module, env := moduleFiles(t, checkout), append(clitest.GoEnv(t), "GOWORK=off")
	script := filepath.Join(t.TempDir(), strings.TrimSuffix(name, ".md")+".txtar")
	if err := os.WriteFile(script, txtar.Format(scriptOf(blocks(t, name), module)), 0o600); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Files:               []string{script},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Vars = append(e.Vars, env...)
			return nil
		},
	})
}

// scriptOf returns a page as a script. A Go block is a file that is named in its first line. A console block holds commands
// and, below, what they print, as a person at a terminal sees it; where a page shows nothing of it, the command succeeds.
// module is what the go get commands leave behind.
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
				if prints == "" {
					fmt.Fprintf(&commands, "exec sh %s\n", file(command+"\n"))
				} else {
					fmt.Fprintf(&commands, "exec sh %s\ncmp stdout %s\n", file("exec 2>&1\n"+command+"\ntrue\n"), file(prints))
				}
			}
		}
	}
	script.Comment = []byte(commands.String())
	return script
}
