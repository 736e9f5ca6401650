package sqlcode

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/eventmap/eventmap/internal/gen"
)

// A format is how one tool wants its migrations.
type format struct {
	name     string
	filename string         // where Options name none; counted as wide as the tool itself counts
	pattern  *regexp.Regexp // what the tool recognises as a migration
	rule     string         // the pattern in words: "does not ..."

	// What the tool needs around a block, a statement that has semicolons in it.
	blockBegin, blockEnd string
	// files puts the SQL of the way up and the way down into the files of the tool.
	files func(filename, up, down string) []gen.File
}

// formats are all there are, the default first.
var formats = []format{
	{
		name:     "plain",
		filename: "0001_eventmap.sql",
		pattern:  regexp.MustCompile(`^[^.].*\.sql$`),
		rule:     "does not end in .sql, or begins with a dot",
		files: func(filename, up, _ string) []gen.File {
			return []gen.File{file(filename, "--\n"+up)}
		},
	},
	{
		name:       "goose",
		filename:   "00001_eventmap.sql",
		pattern:    regexp.MustCompile(`^[0-9]+_.+\.sql$`),
		rule:       "does not have goose's form 00001_name.sql",
		blockBegin: "-- +goose StatementBegin\n",
		blockEnd:   "-- +goose StatementEnd\n",
		files: func(filename, up, down string) []gen.File {
			return []gen.File{file(filename, "\n-- +goose Up\n"+up+"\n-- +goose Down\n"+down)}
		},
	},
	{
		name:     "golang-migrate",
		filename: "000001_eventmap.up.sql",
		pattern:  regexp.MustCompile(`^[0-9]+_.+\.up\.sql$`),
		rule:     "does not have golang-migrate's form 000001_name.up.sql",
		files: func(filename, up, down string) []gen.File {
			return []gen.File{
				file(filename, "--\n"+up),
				file(strings.TrimSuffix(filename, ".up.sql")+".down.sql", "--\n"+down),
			}
		},
	},
	{
		name:     "tern",
		filename: "001_eventmap.sql",
		pattern:  regexp.MustCompile(`^[0-9]+_.+\.sql$`),
		rule:     "does not have tern's form 001_name.sql",
		files: func(filename, up, down string) []gen.File {
			return []gen.File{file(filename, "--\n"+up+"\n---- create above / drop below ----\n\n"+down)}
		},
	},
}

// file returns a file with our header.
func file(name, content string) gen.File {
	return gen.File{Path: name, Content: []byte(Header + content)}
}

// Formats returns the names of all formats, the default first.
func Formats() []string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.name
	}
	return names
}

// findFormat returns the format of that name; an empty name is the default.
func findFormat(name string) (format, error) {
	if name == "" {
		return formats[0], nil
	}
	for _, f := range formats {
		if f.name == name {
			return f, nil
		}
	}
	return format{}, fmt.Errorf("format %q: is not known; choose one of %s", name, strings.Join(Formats(), ", "))
}

// choose returns the name of the file to generate: the given one, if the tool would find it, or the default.
func (f format) choose(filename string) (string, error) {
	switch {
	case filename == "":
		return f.filename, nil
	case strings.ContainsAny(filename, `/\`):
		return "", fmt.Errorf("file name %q: names a folder; the output folder is given by itself", filename)
	case strings.ContainsFunc(filename, isNotPrinted):
		return "", fmt.Errorf("file name %q: has a character that cannot be printed", filename)
	case !f.pattern.MatchString(filename):
		return "", fmt.Errorf("file name %q: %s", filename, f.rule)
	}
	return filename, nil
}

func isNotPrinted(r rune) bool { return !unicode.IsPrint(r) }
