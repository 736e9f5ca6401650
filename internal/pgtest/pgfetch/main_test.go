package main

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFind_hasEveryVersion(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"16", "17", "18"} {
		for _, architecture := range []string{"amd64", "arm64"} {
			p, err := find(version, "linux", architecture)
			if err != nil {
				t.Error(err)
				continue
			}
			digest, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(p.Integrity, "sha512-"))
			if !strings.HasPrefix(p.Version, version+".") || err != nil || len(digest) != 64 {
				t.Errorf("%s, %s: %+v is not a package of that version, pinned", version, architecture, p)
			}
		}
	}
	for _, other := range [][3]string{{"12", "linux", "amd64"}, {"18", "darwin", "arm64"}, {"18", "linux", "riscv64"}} {
		if p, err := find(other[0], other[1], other[2]); err == nil || !strings.Contains(err.Error(), "set PGBIN") {
			t.Errorf("%v: %+v, %v, want an error that says what to do", other, p, err)
		}
	}
}

func TestLink_makesTheLinksOfThePackage(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(path, content string) {
		t.Helper()
		path = filepath.Join(folder, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("native/lib/libpq.so.5.18", "library")
	write("native/pg-symlinks.json", `[{"source": "native/lib/libpq.so.5.18", "target": "native/lib/libpq.so.5"}]`)
	for range 2 {
		if err := link(folder); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := os.ReadFile(filepath.Join(folder, "native/lib/libpq.so.5")); err != nil || string(text) != "library" {
		t.Errorf("through the link: %q, %v", text, err)
	}
	write("native/pg-symlinks.json", `[{"source": "native/lib/libpq.so.5.18", "target": "../escaped"}]`)
	if err := link(folder); err == nil {
		t.Error("made a link outside the folder")
	}
}
