package pgtest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNewestBinaries(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	install := func(name, version string) string {
		t.Helper()
		dir := filepath.Join(root, name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for _, program := range []string{"postgres", "initdb"} {
			script := "#!/bin/sh\necho '" + program + " (PostgreSQL) " + version + "'\n"
			if err := os.WriteFile(filepath.Join(dir, program), []byte(script), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	v9 := install("9", "9.6.24")
	v14 := install("14", "14.2 (Debian 14.2-1)")
	v17 := install("17", "17beta1")
	client := install("client", "18.0")
	if err := os.Remove(filepath.Join(client, "initdb")); err != nil {
		t.Fatal(err)
	}
	none := filepath.Join(root, "none")

	tests := []struct {
		name string
		dirs []string
		want string // empty for errNoBinaries
	}{
		{"newest, not last", []string{v14, v17, v9, v14}, v17},
		{"missing and client-only folders", []string{none, client, v14}, v14},
		{"relative path", []string{"testdata", v14, "."}, v14},
		{"too old", []string{v9}, ""},
		{"nothing", nil, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := newestBinaries(test.dirs)
			if got != test.want || (err == nil) != (test.want != "") || err != nil && !errors.Is(err, errNoBinaries) {
				t.Errorf("newestBinaries = %q, %v; want %q", got, err, test.want)
			}
		})
	}
}

func TestFindBinaries_takesPGBINOrNothing(t *testing.T) {
	t.Setenv("PGBIN", t.TempDir())
	got, err := findBinaries()
	if err == nil {
		t.Fatalf("findBinaries = %q, want an error since $PGBIN holds no programs", got)
	}
	if errors.Is(err, errNoBinaries) || !strings.HasPrefix(err.Error(), "$PGBIN: ") {
		t.Errorf("error = %v, want one about $PGBIN, which docker must not hide", err)
	}
}

// Whoever has no server must learn what to do.
func TestErrNoBinaries_namesTheRemedies(t *testing.T) {
	t.Parallel()
	for _, remedy := range []string{"make test", "apt-get install", "dnf install", "brew install", "PGBIN", "TEST_DATABASE_URL", "docker"} {
		if !strings.Contains(errNoBinaries.Error(), remedy) {
			t.Errorf("error does not name %q:\n%v", remedy, errNoBinaries)
		}
	}
}
