package sqlcode

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/eventmap/eventmap/internal/gen"
)

// ErrEdited: a recorded migration is not as it was written, or is gone.
var ErrEdited = errors.New("a written migration was changed")

// Next returns what is to be written so that the folder's migrations come to the options: the first migration, or what
// changes what was recorded, with its way down; and the record. What is there already may be among it, unchanged. A file
// that was edited by hand is an error that wraps ErrEdited and names it, unless acceptEdits is true.
func Next(o Options, folder Folder, acceptEdits bool) ([]gen.File, error) {
	format, formatErr := findFormat(o.Format)
	var filenameErr error
	if formatErr == nil {
		_, filenameErr = format.choose(o.Filename)
	}
	to, designErr := o.design()
	source, sourceErr := o.source()
	if err := errors.Join(formatErr, filenameErr, designErr, sourceErr, to.checkFormat(format)); err != nil {
		return nil, err
	}
	content, recorded := folder[RecordFile]
	switch {
	case !recorded && source != nil:
		return format.moveFrom(*source, o, to, folder)
	case !recorded:
		return format.first(o, to, folder)
	}
	r, from, err := parseRecord(content, o.version())
	if err != nil {
		return nil, err
	}
	if r.Format != format.name {
		return nil, fmt.Errorf("format %s: the migrations of this folder are written for %s; use that, or another folder", format.name, r.Format)
	}
	if from.Dialect != to.Dialect {
		return nil, fmt.Errorf("dialect %s: the migrations of this folder are written for %s; use that, or another folder", to.Dialect, from.Dialect)
	}
	if source != nil && source.Name != r.From {
		return nil, fmt.Errorf("move from %s: the migrations of this folder begin in another way; use another folder", source.Name)
	}
	if acceptEdits {
		r.accept(folder)
	} else if err := r.check(folder); err != nil {
		return nil, edited{err}
	}
	to.retire(from)
	migrations, err := o.upgradeMigrations(format, &from)
	if err != nil {
		return nil, err
	}
	changes, err := format.migrations(from, to)
	if err != nil {
		return nil, err
	}
	migrations = append(migrations, changes...)
	next := newRecord(to, format.name)
	next.Migrations, next.From = r.Migrations, r.From
	names := format.nextNames(o.Filename, r, folder, migrations)
	var files []gen.File
	for i, m := range migrations {
		written := format.files(names[i], m)
		next.add(written)
		files = append(files, written...)
	}
	return format.finish(files, folder, next)
}

// finish adds what a tool and this package keep beside the migrations.
func (f format) finish(files []gen.File, folder Folder, r record) ([]gen.File, error) {
	if f.sumFile != "" {
		files = append(files, sum(f.sumFile, folder, files))
	}
	file, err := r.file()
	return append(files, file), err
}

// edited says what ErrEdited says, at greater length.
type edited struct{ error }

func (edited) Is(target error) bool { return target == ErrEdited }

// first returns the first migration and the record of it. A folder that holds it already, but no record, is one that was
// written by a migrate-gen that kept none.
func (f format) first(o Options, to design, folder Folder) ([]gen.File, error) {
	if o.Filename == "" {
		o.Filename = f.filename(f.lastNumber(folder)+1, "eventmap")
		if _, written := folder[f.filename(1, "eventmap")]; written {
			o.Filename = ""
		}
	}
	files, err := Generate(o)
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
	r := newRecord(to, f.name)
	r.add(files)
	return f.finish(files, folder, r)
}

// numbered finds the number that a migration's name begins with.
var numbered = regexp.MustCompile(`^V?([0-9]+)(?:\.[0-9]+)*_+(.*)$`)

// lastNumber returns the highest number of a migration in the folder, or 0.
func (f format) lastNumber(folder Folder) int {
	last := 0
	for name := range folder {
		if m := numbered.FindStringSubmatch(name); m != nil {
			if n, err := strconv.Atoi(m[1]); err == nil {
				last = max(last, n)
			}
		}
	}
	return last
}

// nextNames returns a file name for each migration. The given one is for the first, unless it is taken by a migration
// that is recorded: then, as without one, the names follow those in the folder.
func (f format) nextNames(filename string, r record, folder Folder, migrations []migration) []string {
	subject, number := "eventmap", f.lastNumber(folder)
	if len(r.Migrations) > 0 {
		subject = strings.TrimSuffix(r.Migrations[0].File, f.suffix)
		m := numbered.FindStringSubmatch(subject)
		if m == nil { // the user numbers in another way: the next names sort behind the first
			return unnumbered(subject, f.suffix, len(r.Migrations), migrations)
		}
		subject = m[2]
		if r.From != "" {
			subject = strings.TrimSuffix(subject, "_"+moveFirst)
		}
	}
	var names []string
	for i, m := range migrations {
		name := f.filename(number+1+i, subject+"_"+m.name)
		if i == 0 && filename != "" && !r.has(filename) {
			name = filename
			if m := numbered.FindStringSubmatch(name); m != nil {
				if n, err := strconv.Atoi(m[1]); err == nil {
					number = n - 1
				}
			}
		}
		names = append(names, name)
	}
	return names
}

func unnumbered(subject, suffix string, written int, migrations []migration) []string {
	var names []string
	for i, m := range migrations {
		names = append(names, fmt.Sprintf("%s_%04d_%s%s", subject, written+1+i, m.name, suffix))
	}
	return names
}
