package goload

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/mod/modfile"
)

// moduleRoot returns the nearest folder with a go.mod, from dir, which need not exist, upwards.
func moduleRoot(dir string) (string, error) {
	for at := dir; ; {
		if info, err := os.Stat(filepath.Join(at, "go.mod")); err == nil && !info.IsDir() {
			return at, nil
		}
		parent := filepath.Dir(at)
		if parent == at {
			return "", fmt.Errorf("no go.mod in %s or above it; create one with go mod init", dir)
		}
		at = parent
	}
}

// readTogether names what the go command reads at once of the module at root: its workspace, or the module alone.
func readTogether(root string) string {
	if real, err := filepath.EvalSymlinks(root); err == nil {
		root = real
	}
	file := workFile(root)
	text, err := os.ReadFile(file)
	if err != nil {
		return root
	}
	work, err := modfile.ParseWork(file, text, nil)
	if err != nil {
		return root // the go command says what is wrong
	}
	within := slices.ContainsFunc(work.Use, func(use *modfile.Use) bool {
		dir := filepath.FromSlash(use.Path)
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(filepath.Dir(file), dir)
		}
		return sameFolder(dir, root)
	})
	if !within {
		return root
	}
	return file
}

// workFile returns the go.work file that counts in dir, or "".
func workFile(dir string) string {
	switch file := os.Getenv("GOWORK"); file {
	case "off":
		return ""
	case "", "auto":
	default:
		return file
	}
	for {
		file := filepath.Join(dir, "go.work")
		if info, err := os.Stat(file); err == nil && !info.IsDir() {
			return file
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}
