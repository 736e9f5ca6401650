package migration

import (
	"fmt"
	"maps"

	"github.com/eventmap/eventmap/internal/pgname"
)

// Released returns the folder without the migrations that a record, as it was released, does not know, and their files. The
// record is nil if none was released. An edited file among them is an error: nothing would be left of the edit.
func (f Folder) Released(released []byte) (Folder, []string, error) {
	content, ok := f[RecordFile]
	if !ok {
		return f, nil, nil
	}
	now, _, err := parseRecord(content, pgname.SchemaVersion)
	if err != nil {
		return nil, nil, err
	}
	var then record
	if released != nil {
		if then, _, err = parseRecord(released, pgname.SchemaVersion); err != nil {
			return nil, nil, fmt.Errorf("as it was released: %w", err)
		}
	} else if now.From != "" {
		return nil, nil, fmt.Errorf("the migrations of this folder begin with a move from %s, which cannot be made anew from their record; "+
			"remove the folder, and run again with --from", now.From)
	}
	for _, file := range then.Migrations {
		if !now.has(file.File) {
			return nil, nil, fmt.Errorf("%s: was released, and the record does not know it; merge what was released first", file.File)
		}
	}
	rest := maps.Clone(f)
	delete(rest, RecordFile)
	if released != nil {
		rest[RecordFile] = released
	}
	var unreleased record
	var names []string
	for _, file := range now.Migrations {
		if !then.has(file.File) {
			unreleased.Migrations = append(unreleased.Migrations, file)
			names = append(names, file.File)
			delete(rest, file.File)
		}
	}
	if err := unreleased.check(f); err != nil {
		return nil, nil, folderError{err}
	}
	return rest, names, nil
}
