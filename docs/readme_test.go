package docs_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/internal/pgtest"
)

// A block is a fenced piece of a page: its language and its text.
type block struct{ language, text string }

// fileName returns the name that the first line of a Go block gives.
func (b block) fileName() string {
	name, _, _ := strings.Cut(strings.TrimPrefix(b.text, "// "), "\n")
	return name
}

var fenced = regexp.MustCompile("(?ms)^```([a-z]+)\n(.*?)^```$")

func blocks(t *testing.T, path string) []block {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []block
	for _, m := range fenced.FindAllStringSubmatch(string(text), -1) {
		all = append(all, block{m[1], m[2]})
	}
	return all
}

// TestREADME_quickStart does what the README tells a newcomer to do, in a module of its own: it writes the files, runs the
// commands and compares what the program prints. Only the tools come from this checkout, and the migration is applied
// without psql.
func TestREADME_quickStart(t *testing.T) {
	t.Parallel()
	repo, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir, url := t.TempDir(), pgtest.New(t)
	for name, text := range moduleFiles(t, repo) {
		write(t, filepath.Join(dir, name), text)
	}
	for _, b := range blocks(t, filepath.Join(repo, "README.md")) {
		switch b.language {
		case "go":
			write(t, filepath.Join(dir, b.fileName()), b.text)
		case "sh":
			for line := range strings.Lines(b.text) {
				if strings.HasPrefix(line, "psql") {
					if err := migrate(url, filepath.Join(dir, "migrations/0001_eventmap.sql")); err != nil {
						t.Fatal(err)
					}
					continue
				}
				shell(t, dir, url, line)
			}
		case "text":
			command, want, _ := strings.Cut(strings.TrimPrefix(b.text, "$ "), "\n")
			for range 2 { // a program that is run once more does the same
				if d := cmp.Diff(want, shell(t, dir, url, command)); d != "" {
					t.Errorf("%s (-want +got):\n%s", command, d)
				}
			}
		}
	}
	shell(t, dir, url, "go generate . && go vet ./... && go test ./...")
}

// moduleFiles returns go.mod and go.sum of the module of a quick start: as go get leaves them, but with eventmap from this
// checkout, which go get would look for on the network.
func moduleFiles(t *testing.T, repo string) map[string]string {
	t.Helper()
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(repo, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	mod := strings.Replace(read("go.mod"), "module github.com/eventmap/eventmap\n", "module example.com/shop\n", 1)
	mod += `
require github.com/eventmap/eventmap v0.0.0

replace github.com/eventmap/eventmap => ` + repo + `

tool (
	github.com/eventmap/eventmap/cmd/eventmap-gen
	github.com/eventmap/eventmap/cmd/migrate-gen
)
`
	return map[string]string{"go.mod": mod, "go.sum": read("go.sum")}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// migrate runs the SQL file in one transaction, unless the file has its own.
func migrate(url, path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.PgConn().Exec(context.Background(), string(text)).ReadAll(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// shell runs a command in dir and returns what it prints.
func shell(t *testing.T, dir, url, command string) string {
	t.Helper()
	cmd := exec.Command("sh", "-c", command)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "DATABASE_URL="+url, "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", command, err, out, stderr.String())
	}
	return string(out)
}
