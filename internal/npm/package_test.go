package npm

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// pack makes an archive as npm does, and the integrity of it.
func pack(t *testing.T, files map[string]string) (archive []byte, integrity string) {
	t.Helper()
	var buffer bytes.Buffer
	compressed := gzip.NewWriter(&buffer)
	writer := tar.NewWriter(compressed)
	for path, content := range files {
		if err := writer.WriteHeader(&tar.Header{Name: path, Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := writer.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(writer.Close(), compressed.Close()); err != nil {
		t.Fatal(err)
	}
	digest := sha512.Sum512(buffer.Bytes())
	return buffer.Bytes(), "sha512-" + base64.StdEncoding.EncodeToString(digest[:])
}

// serve makes a registry of one archive the only way to any, and counts what is asked of it.
func serve(t *testing.T, path string, archive []byte) *atomic.Int32 {
	t.Helper()
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.URL.Path != path {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(archive)
	}))
	t.Cleanup(server.Close)
	t.Setenv("PATH", t.TempDir()) // no npm
	t.Setenv(registryVariable, server.URL+"/")
	return &asked
}

func TestUnpack_downloadsOnce(t *testing.T) {
	archive, integrity := pack(t, map[string]string{"package/bin/run": "#!/bin/sh", "other-top-folder/deep/er/file": "text"})
	asked := serve(t, "/@scope/tool/-/tool-1.2.3.tgz", archive)
	cache := t.TempDir()
	for range 2 {
		folder := filepath.Join(t.TempDir(), "new")
		p := Package{Name: "@scope/tool", Version: "1.2.3", Integrity: integrity}
		if err := p.Unpack(t.Context(), cache, folder); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(filepath.Join(folder, "bin/run")); err != nil || info.Mode().Perm()&0o555 != 0o555 {
			t.Errorf("bin/run: %v, %v, want a program that every account runs", info, err)
		}
		if text, err := os.ReadFile(filepath.Join(folder, "deep/er/file")); err != nil || string(text) != "text" {
			t.Errorf("deep/er/file = %q, %v", text, err)
		}
	}
	if got := asked.Load(); got != 1 {
		t.Errorf("the registry was asked %d times, want 1", got)
	}
}

func TestUnpack_refusesWhatIsNotPinned(t *testing.T) {
	archive, _ := pack(t, map[string]string{"package/file": "text"})
	serve(t, "/tool/-/tool-1.0.0.tgz", archive)
	cache, folder := t.TempDir(), filepath.Join(t.TempDir(), "new")
	err := Package{Name: "tool", Version: "1.0.0", Integrity: "sha512-other"}.Unpack(t.Context(), cache, folder)
	if err == nil || !strings.Contains(err.Error(), "npm package tool@1.0.0: integrity of the archive is sha512-") {
		t.Errorf("error = %v, want one about the integrity", err)
	}
	if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("stat of the folder: %v, want that it was not made", err)
	}
	if kept, _ := os.ReadDir(cache); len(kept) > 0 {
		t.Errorf("the cache keeps %v", kept)
	}
}

func TestUnpack_mendsTheCache(t *testing.T) {
	archive, integrity := pack(t, map[string]string{"package/file": "text"})
	serve(t, "/tool/-/tool-1.0.0.tgz", archive)
	cache := t.TempDir()
	if err := os.WriteFile(filepath.Join(cache, "tool-1.0.0.tgz"), archive[:10], 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (Package{Name: "tool", Version: "1.0.0", Integrity: integrity}).Unpack(t.Context(), cache, t.TempDir()); err != nil {
		t.Error(err)
	}
}

func TestUnpack_staysInItsFolder(t *testing.T) {
	archive, integrity := pack(t, map[string]string{"package/../../escaped": "text"})
	serve(t, "/tool/-/tool-1.0.0.tgz", archive)
	folder := filepath.Join(t.TempDir(), "a", "b")
	if err := (Package{Name: "tool", Version: "1.0.0", Integrity: integrity}).Unpack(t.Context(), t.TempDir(), folder); err == nil {
		t.Error("unpacked a path that leads out of the folder")
	}
	if _, err := os.Stat(filepath.Join(folder, "../escaped")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("stat of what escaped: %v", err)
	}
}

func TestUnpack_saysWhereToGetIt(t *testing.T) {
	serve(t, "/", nil)
	pinned := Package{Name: "tool", Version: "1.0.0"}
	if err := pinned.Unpack(t.Context(), t.TempDir(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("error = %v, want what the registry answered", err)
	}
	t.Setenv(registryVariable, "")
	if err := pinned.Unpack(t.Context(), t.TempDir(), t.TempDir()); !errors.Is(err, ErrNoRegistry) {
		t.Errorf("error = %v, want ErrNoRegistry", err)
	}
}
