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
	name    string
	number  string         // how the tool itself counts
	suffix  string         // of the file for the way up
	pattern *regexp.Regexp // what the tool recognises as a migration
	rule    string         // the pattern in words: "does not ..."

	// What the tool needs around a block, a statement that has semicolons in it.
	blockBegin, blockEnd string
	// files puts a migration into the files of the tool.
	files func(filename string, m migration) []gen.File
}

// formats are all there are, the default first.
var formats = []format{
	{
		name:    "plain",
		number:  "%04d_",
		suffix:  ".sql",
		pattern: regexp.MustCompile(`^[^.].*\.sql$`),
		rule:    "does not end in .sql, or begins with a dot",
		files: func(filename string, m migration) []gen.File {
			return []gen.File{file(filename, "--\n"+m.up)}
		},
	},
	{
		name:       "goose",
		number:     "%05d_",
		suffix:     ".sql",
		pattern:    regexp.MustCompile(`^[0-9]+_.+\.sql$`),
		rule:       "does not have goose's form 00001_name.sql",
		blockBegin: "-- +goose StatementBegin\n",
		blockEnd:   "-- +goose StatementEnd\n",
		files: func(filename string, m migration) []gen.File {
			mark := "\n"
			if m.alone {
				mark = "-- +goose NO TRANSACTION\n\n"
			}
			return []gen.File{file(filename, mark+"-- +goose Up\n"+m.up+"\n-- +goose Down\n"+m.down)}
		},
	},
	{
		name:    "golang-migrate", // which sends each file as one query: a single statement is in no transaction
		number:  "%06d_",
		suffix:  ".up.sql",
		pattern: regexp.MustCompile(`^[0-9]+_.+\.up\.sql$`),
		rule:    "does not have golang-migrate's form 000001_name.up.sql",
		files: func(filename string, m migration) []gen.File {
			return []gen.File{
				file(filename, "--\n"+m.up),
				file(strings.TrimSuffix(filename, ".up.sql")+".down.sql", "--\n"+m.down),
			}
		},
	},
	{
		name:    "tern",
		number:  "%03d_",
		suffix:  ".sql",
		pattern: regexp.MustCompile(`^[0-9]+_.+\.sql$`),
		rule:    "does not have tern's form 001_name.sql",
		files: func(filename string, m migration) []gen.File {
			mark := ""
			if m.alone {
				mark = "---- tern: disable-tx ----\n"
			}
			return []gen.File{file(filename, "--\n"+mark+m.up+"\n---- create above / drop below ----\n\n"+mark+m.down)}
		},
	},
}

// filename returns the name of the file of the way up.
func (f format) filename(number int, name string) string {
	return fmt.Sprintf(f.number, number) + name + f.suffix
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
		return f.filename(1, "eventmap"), nil
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
