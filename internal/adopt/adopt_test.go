package adopt

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/eventmap/eventmap/internal/astscan"
	"github.com/eventmap/eventmap/internal/goload"
)

var update = flag.Bool("update", false, "write the golden parts of testdata anew")

// TestFind reads each module of testdata and compares what is proposed with the module's golden part. The marked source
// compiles, holds the events as eventmap-gen reads them, and a second run proposes nothing more.
func TestFind(t *testing.T) {
	t.Parallel()
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatal(archives, err)
	}
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if cc := comment(archive, "needs: "); cc != "" {
				if _, err := exec.LookPath(cc); err != nil {
					t.Skipf("the module needs a C compiler: %v", err)
				}
			}
			dir := writeModule(t, archive)
			proposal, files := proposeFor(t, dir, archive)
			got := render(proposal)
			if *update {
				setWant(archive, got)
				if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(want(archive), got); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
			for _, f := range files {
				if err := os.WriteFile(f.Path, f.New, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			again, _ := proposeFor(t, dir, archive)
			if len(again.Marks) > 0 {
				t.Errorf("a second run proposes more:\n%s", render(again))
			}
			if again.Events != proposal.Events {
				t.Errorf("a second run finds %d events, want %d", again.Events, proposal.Events)
			}
			if len(proposal.Questions) == 0 && proposal.Events > 0 {
				if got := scanned(t, dir, archive); got != proposal.Events {
					t.Errorf("eventmap-gen reads %d events, want %d", got, proposal.Events)
				}
			}
		})
	}
}

// render returns a proposal as text: marks, questions and notes.
func render(p *Proposal) string {
	var b strings.Builder
	for _, m := range p.Marks {
		declares := ""
		if m.declares != "" {
			declares = "type " + m.declares + " struct{} "
		}
		fmt.Fprintf(&b, "+ %v: %s: %s%s: %s\n", m.Pos, m.Subject, declares, m.Text, m.Reason)
	}
	for _, q := range p.Questions {
		fmt.Fprintf(&b, "? %v: %s\n", q.Pos, q.Text)
	}
	for _, n := range p.Notes {
		fmt.Fprintf(&b, "- %v: %s\n", n.Pos, n.Text)
	}
	return b.String()
}

func want(archive *txtar.Archive) string {
	for _, f := range archive.Files {
		if f.Name == "want" {
			return string(f.Data)
		}
	}
	return ""
}

func setWant(archive *txtar.Archive, text string) {
	for i := range archive.Files {
		if archive.Files[i].Name == "want" {
			archive.Files[i].Data = []byte(text)
			return
		}
	}
	archive.Files = append(archive.Files, txtar.File{Name: "want", Data: []byte(text)})
}

// writeModule writes the files of an archive, but the golden part, and makes their folder a module.
func writeModule(t *testing.T, archive *txtar.Archive) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	files := append([]txtar.File{{Name: "go.mod", Data: []byte("module example.com/m\n\ngo 1.26\n")}}, archive.Files...)
	for _, f := range files {
		if f.Name == "want" {
			continue
		}
		path := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// tags returns the build tags that an archive asks for.
func tags(archive *txtar.Archive) []string {
	if list := comment(archive, "tags: "); list != "" {
		return strings.Split(list, ",")
	}
	return nil
}

// comment returns the rest of the line of an archive's comment that begins with a prefix, or nothing.
func comment(archive *txtar.Archive, prefix string) string {
	for line := range strings.Lines(string(archive.Comment)) {
		if rest, ok := strings.CutPrefix(line, prefix); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

// proposeFor loads the module, which has to compile, and returns what is proposed for it.
func proposeFor(t *testing.T, dir string, archive *txtar.Archive) (*Proposal, []File) {
	t.Helper()
	at, err := goload.NewDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	program, err := goload.Load(t.Context(), goload.Options{Dir: at, Patterns: []string{"./..."}, Tags: tags(archive), Info: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Build(&goload.Output{}).Problems.Err(); err != nil {
		t.Fatal(err)
	}
	proposal := Find(program)
	files, err := proposal.Files()
	if err != nil {
		t.Fatal(err)
	}
	return proposal, files
}

// scanned returns how many events eventmap-gen reads in the module.
func scanned(t *testing.T, dir string, archive *txtar.Archive) (events int) {
	t.Helper()
	domain, err := astscan.Scan(t.Context(), astscan.Options{Dir: dir, Patterns: []string{"./..."}, Output: "gen", Tags: tags(archive)})
	if err != nil {
		t.Fatal(err)
	}
	for i := range domain.Aggregates {
		events += len(domain.Aggregates[i].Events)
	}
	return events
}
