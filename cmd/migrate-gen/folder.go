package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
)

// readFolder returns the migrations and the record of a folder, which need not exist.
func readFolder(folder string) (migration.Folder, error) {
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	files := make(migration.Folder)
	for _, entry := range entries {
		name := entry.Name()
		if !entry.Type().IsRegular() || !strings.HasSuffix(name, ".sql") && !strings.HasSuffix(name, ".conf") && name != migration.RecordFile {
			continue
		}
		content, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return nil, err
		}
		files[name] = content
	}
	return files, nil
}
