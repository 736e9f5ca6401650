package migration

import (
	"errors"
	"fmt"

	"github.com/eventmap/eventmap/internal/gen"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
)

// ErrFolder: the migrations of a folder are not those that its record knows, or two of them have the same number.
var ErrFolder = errors.New("the migrations are not as they were written")

// Next returns what is to be written so that the folder's migrations come to a design: the first migration, or what
// changes what was recorded, with its way down; and the record. What is there already may be among it, unchanged. A file
// that was edited by hand is an error that wraps ErrFolder and names it, unless the options accept edits.
func (w Writer) Next(to design.Design, folder Folder) ([]gen.File, error) {
	if err := w.Check(to); err != nil {
		return nil, err
	}
	to.Version = w.version()
	content, recorded := folder[RecordFile]
	switch {
	case !recorded && w.table != nil:
		return w.moveTable(to, folder)
	case !recorded && w.source != nil:
		return w.move(to, folder)
	case !recorded && w.fromOneLog:
		return nil, fmt.Errorf("--from %s: the folder has no migrations of one log yet; without the flag its first migration makes many", oneLogSource)
	case !recorded:
		return w.first(to, folder)
	}
	r, from, err := parseRecord(content, w.version())
	if err != nil {
		return nil, err
	}
	switch {
	case r.Format != w.format.name:
		return nil, fmt.Errorf("format %s: the migrations of this folder are written for %s; use that, or another folder", w.format.name, r.Format)
	case from.Dialect != to.Dialect:
		return nil, fmt.Errorf("dialect %s: the migrations of this folder are written for %s; use that, or another folder", to.Dialect.Name, from.Dialect.Name)
	case w.from() != "" && w.from() != r.From:
		return nil, fmt.Errorf("move from %s: the migrations of this folder begin in another way; use another folder", w.from())
	case w.acceptEdits:
		r.accept(folder)
	default:
		if err := errors.Join(r.check(folder), w.format.checkNumbers(r, folder)); err != nil {
			return nil, folderError{err}
		}
	}
	to = to.After(from)
	to.KnownInline = to.KnownInline && !layoutDiffers(from, to) && !logsDiffer(from, to)
	if w.fromOneLog {
		if err := w.canMove(from, to); err != nil {
			return nil, err
		}
		to.Logs.Moved, to.Logs.Of = true, w.logOf
	}
	migrations, from, err := w.upgradeMigrations(from)
	if err != nil {
		return nil, err
	}
	changes, err := w.format.difference(from, to)
	if err != nil {
		return nil, err
	}
	next := w.newRecord(to)
	next.Migrations, next.From = r.Migrations, r.From
	return w.write(append(migrations, changes...), folder, next)
}

// Known returns a design with what the record of a folder, if there is one, knows beyond it: the events that the domain had
// once.
func (w Writer) Known(d design.Design, folder Folder) (design.Design, error) {
	content, recorded := folder[RecordFile]
	if !recorded {
		return d, nil
	}
	_, from, err := parseRecord(content, w.version())
	if err != nil {
		return d, err
	}
	return d.After(from), nil
}

// Loosening returns what the database no longer protects once a folder's migrations come to a design.
func (w Writer) Loosening(to design.Design, folder Folder) ([]string, error) {
	content, recorded := folder[RecordFile]
	if !recorded {
		return nil, nil
	}
	_, from, err := parseRecord(content, w.version())
	if err != nil {
		return nil, err
	}
	return to.Loosens(from), nil
}

// write returns the files of migrations that follow those of a record, and all that is kept beside them.
func (w Writer) write(migrations []migration, folder Folder, r record) ([]gen.File, error) {
	names := w.nextNames(r, folder, migrations)
	var files []gen.File
	for i, m := range migrations {
		files = append(files, w.format.files(names[i], m)...)
	}
	return w.finish(files, folder, r)
}

// finish records files and adds what a tool and this package keep beside them.
func (w Writer) finish(files []gen.File, folder Folder, r record) ([]gen.File, error) {
	r.add(files)
	if w.format.sumFile != "" {
		files = append(files, sum(w.format.sumFile, folder, files))
	}
	file, err := r.file()
	return append(files, file), err
}

// folderError says what ErrFolder says, at greater length.
type folderError struct{ error }

func (folderError) Is(target error) bool { return target == ErrFolder }

// first returns the first migration and the record of it. A folder that holds it already, but no record, is one that was
// written by a migrate-gen that kept none.
func (w Writer) first(to design.Design, folder Folder) ([]gen.File, error) {
	if _, written := folder[w.format.filename(1, "eventmap")]; w.filename == "" && !written {
		w.filename = w.format.filename(w.nextNumber(folder), "eventmap")
	}
	files, err := w.Generate(to)
	if err != nil {
		return nil, err
	}
	ours := make(map[string]string, len(files))
	for _, file := range files {
		ours[file.Path] = hash(file.Content)
	}
	if err := folder.checkUnrecorded(ours); err != nil {
		return nil, err
	}
	return w.finish(files, folder, w.newRecord(to))
}
