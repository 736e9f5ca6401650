package docs_test

import (
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const module = "github.com/eventmap/eventmap"

// An imports table is, for each package of ours, which others of ours it imports.
var importRow = regexp.MustCompile("(?m)^\\| `([a-z0-9/-]+)` \\| (.*) \\|$")

// TestArchitecture_imports holds the page's table to what the code imports.
func TestArchitecture_imports(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(page), "## Who imports whom")
	if !ok {
		t.Fatal("the page has no table of imports")
	}
	told := map[string]string{}
	for _, row := range importRow.FindAllStringSubmatch(table, -1) {
		told[row[1]] = strings.ReplaceAll(row[2], "`", "")
	}
	if diff := cmp.Diff(told, importsOfOurs(t)); diff != "" {
		t.Errorf("docs/architecture.md (-page +code):\n%s", diff)
	}
}

// TestArchitecture_contract holds the packages that users import to the rule that they bring nothing with them.
func TestArchitecture_contract(t *testing.T) {
	t.Parallel()
	for _, of := range []string{"runtime", "runtime/mapping", "runtime/consumer", "runtime/console", "runtime/privacy"} {
		out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", module+"/"+of).Output()
		if err != nil {
			t.Fatal(err)
		}
		for dep := range strings.Lines(string(out)) {
			dep = strings.TrimSpace(dep)
			if dep != "" && dep != "github.com/google/uuid" && !strings.HasPrefix(dep, module+"/runtime") {
				t.Errorf("%s depends on %s", of, dep)
			}
		}
	}
}

func importsOfOurs(t *testing.T) map[string]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{len .GoFiles}} {{join .Imports " "}}`, module+"/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		name := strings.TrimPrefix(fields[0], module+"/")
		if fields[1] == "0" || strings.HasPrefix(name, "runtime/postgres/internal/") || path.Base(name) == "docs" {
			continue
		}
		var ours []string
		for _, imported := range fields[2:] {
			if rest, ok := strings.CutPrefix(imported, module+"/"); ok && !strings.HasPrefix(rest, "runtime/postgres/internal/") {
				ours = append(ours, rest)
			}
		}
		slices.Sort(ours)
		found[name] = strings.Join(ours, ", ")
		if len(ours) == 0 {
			found[name] = "nothing of ours"
		}
	}
	return found
}
