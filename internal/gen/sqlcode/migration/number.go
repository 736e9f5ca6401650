package migration

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// numbered finds the number that a migration's name begins with.
var numbered = regexp.MustCompile(`^V?([0-9]+)(?:\.[0-9]+)*_+(.*)$`)

// lastNumber returns the highest number of a migration in the folder, or 0.
func lastNumber(folder Folder) int64 {
	last := int64(0)
	for name := range folder {
		if m := numbered.FindStringSubmatch(name); m != nil {
			if n, err := strconv.ParseInt(m[1], 10, 64); err == nil {
				last = max(last, n)
			}
		}
	}
	return last
}

// nextNumber returns the number of the next migration in the folder.
func (w Writer) nextNumber(folder Folder) int64 {
	next := lastNumber(folder) + 1
	if w.byTime {
		if now, err := strconv.ParseInt(w.now.Format("20060102150405"), 10, 64); err == nil {
			next = max(next, now)
		}
	}
	return next
}

// versioned finds the whole number of a migration, which may have parts for Flyway.
var versioned = regexp.MustCompile(`^(?:V([0-9]+(?:[._][0-9]+)*)__|([0-9]+)_)`)

// version returns what a tool takes for the number of a migration, or nothing if the name has none.
func (f format) version(name string) string {
	m := versioned.FindStringSubmatch(name)
	if m == nil || f.anyName || !f.pattern.MatchString(name) {
		return ""
	}
	var parts []string
	for _, part := range strings.FieldsFunc(m[1]+m[2], func(r rune) bool { return r == '.' || r == '_' }) {
		parts = append(parts, strings.TrimLeft(part, "0"))
	}
	for len(parts) > 1 && parts[len(parts)-1] == "" { // V2.0 is V2
		parts = parts[:len(parts)-1]
	}
	return strings.Join(parts, ".") + "."
}

// checkNumbers returns an error for each migration of ours that the record does not know, and for each that has the number of
// another one: two branches added them.
func (f format) checkNumbers(r record, folder Folder) error {
	var problems []error
	for _, name := range folder.ours() {
		if !r.has(name) {
			problems = append(problems, fmt.Errorf("%s: was written by %s, and %s does not know it; if two branches were merged, remove it, "+
				"if no database has run it, and run again", name, generator, RecordFile))
		}
	}
	names := make(map[string]string) // of recorded migrations, by version
	for _, file := range r.Migrations {
		if version := f.version(file.File); version != "" {
			names[version] = file.File
		}
	}
	for _, name := range slices.Sorted(maps.Keys(folder)) {
		if ours, ok := names[f.version(name)]; ok && ours != name && (!r.has(name) || name < ours) {
			problems = append(problems, fmt.Errorf("%s: has the same number as %s, and no tool runs both; rename it, if no database has run it yet",
				name, ours))
		}
	}
	return errors.Join(problems...)
}

// nextNames returns a file name for each migration. The given one is for the first, unless it is taken by a migration
// that is recorded: then, as without one, the names follow those in the folder.
func (w Writer) nextNames(r record, folder Folder, migrations []migration) []string {
	subject, number := "eventmap", w.nextNumber(folder)
	if len(r.Migrations) > 0 {
		subject = strings.TrimSuffix(r.Migrations[0].File, w.format.suffix)
		m := numbered.FindStringSubmatch(subject)
		if m == nil { // the user numbers in another way: the next names sort behind the first
			return unnumbered(subject, w.format.suffix, len(r.Migrations), migrations)
		}
		subject = m[2]
		if r.From != "" {
			subject = strings.TrimSuffix(subject, "_"+moveFirst)
		}
	}
	var names []string
	for i, m := range migrations {
		name := w.format.filename(number+int64(i), subject+"_"+m.name)
		if i == 0 && w.filename != "" && !r.has(w.filename) {
			name = w.filename
			if m := numbered.FindStringSubmatch(name); m != nil {
				if n, err := strconv.ParseInt(m[1], 10, 64); err == nil {
					number = n
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
