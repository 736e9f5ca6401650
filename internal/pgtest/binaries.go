package pgtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
)

// binVariable names the environment variable with the folder of the server programs to use.
const binVariable = "PGBIN"

// oldestVersion is the oldest major version of PostgreSQL that the project supports.
const oldestVersion = 14

// errNoBinaries is what findBinaries returns where nothing is installed. It says what to do, since whoever runs the tests
// reads it when docker does not help either.
var errNoBinaries = fmt.Errorf(`no PostgreSQL found: these tests need a server of version %d or later; do one of
  - run "make test", which installs one where it may
  - install one: apt-get install postgresql | dnf install postgresql-server | brew install postgresql@18
  - set PGBIN to the folder of initdb and postgres
  - set TEST_DATABASE_URL to the address of a server for tests, with a role that has CREATEDB
  - start docker`, oldestVersion)

// binaryPlaces are patterns of the folders where PostgreSQL's server programs are installed.
var binaryPlaces = []string{
	"/usr/lib/postgresql/*/bin",                              // Debian, Ubuntu
	"/usr/pgsql-*/bin",                                       // Fedora, RHEL: packages of postgresql.org
	"/usr/bin",                                               // Fedora, Arch: their own
	"/usr/lib/postgresql*/bin",                               // openSUSE
	"/usr/libexec/postgresql*",                               // Alpine
	"/opt/homebrew/opt/postgresql*/bin",                      // Homebrew, Apple silicon
	"/usr/local/opt/postgresql*/bin",                         // Homebrew, Intel
	"/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",         // Homebrew, Linux
	"/Applications/Postgres.app/Contents/Versions/*/bin",     // Postgres.app
	"/usr/local/pgsql/bin", "/usr/local/bin", "/opt/pgsql/*", // built from source
}

// findBinaries returns the folder of the server programs to use: $PGBIN, or the newest found.
func findBinaries() (string, error) {
	if dir := os.Getenv(binVariable); dir != "" {
		version, err := binaryVersion(dir)
		if err != nil {
			return "", fmt.Errorf("$%s: %w", binVariable, err)
		}
		if version < oldestVersion {
			return "", fmt.Errorf("$%s: %s holds PostgreSQL %d; %d or later is needed", binVariable, dir, version, oldestVersion)
		}
		return dir, nil
	}
	var dirs []string
	for _, place := range binaryPlaces {
		found, _ := filepath.Glob(place) // the patterns are well formed
		dirs = append(dirs, found...)
	}
	dirs = append(dirs, filepath.SplitList(os.Getenv("PATH"))...)
	return newestBinaries(dirs)
}

// newestBinaries returns the folder with the newest server programs; the first of those that are equally new.
func newestBinaries(dirs []string) (string, error) {
	newest, newestVersion := "", 0
	seen := make(map[string]bool)
	for _, dir := range dirs {
		if seen[dir] || !filepath.IsAbs(dir) {
			continue
		}
		seen[dir] = true
		if version, err := binaryVersion(dir); err == nil && version > newestVersion {
			newest, newestVersion = dir, version
		}
	}
	switch {
	case newest == "":
		return "", errNoBinaries
	case newestVersion < oldestVersion:
		return "", fmt.Errorf("PostgreSQL %d in %s is too old; %w", newestVersion, newest, errNoBinaries)
	}
	return newest, nil
}

var versionPattern = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// binaryVersion returns the major version of the server programs in a folder.
func binaryVersion(dir string) (int, error) {
	for _, program := range []string{"postgres", "initdb"} {
		if _, err := os.Stat(filepath.Join(dir, program)); err != nil {
			return 0, err
		}
	}
	output, err := exec.Command(filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", filepath.Join(dir, "postgres --version"), err)
	}
	match := versionPattern.FindSubmatch(output)
	if match == nil {
		return 0, fmt.Errorf("%s: no version in %q", filepath.Join(dir, "postgres --version"), output)
	}
	return strconv.Atoi(string(match[1]))
}
