package migration

import (
	"bytes"
	"fmt"
	"slices"
)

// A Folder is the content of the output folder: its migrations, ours and others, and the record, by their names.
type Folder map[string][]byte

// IsMigration reports whether content was written by this package as a migration or its settings, which never change.
func IsMigration(content []byte) bool {
	return bytes.HasPrefix(content, []byte(Header)) || bytes.HasPrefix(content, []byte(confHeader))
}

// IsOurs reports whether content was written by this package, as a migration, its settings, a record or a checksum file.
func IsOurs(content []byte) bool {
	return IsMigration(content) || IsRecord(content) || isSum(content)
}

// ours returns the names of files that begin with our header, sorted.
func (f Folder) ours() []string {
	var names []string
	for name, content := range f {
		if IsMigration(bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n"))) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// checkUnrecorded returns an error for a migration of ours that is not one of those that will be written, by their
// hashes: without a record nobody knows what it is.
func (f Folder) checkUnrecorded(written map[string]string) error {
	for _, name := range f.ours() {
		if written[name] != hash(f[name]) {
			return fmt.Errorf("%s: was written by %s, and %s, which says for which options, is missing; restore that "+
				"file, or, if no database has run the migration yet, remove it and run again", name, generator, RecordFile)
		}
	}
	return nil
}
