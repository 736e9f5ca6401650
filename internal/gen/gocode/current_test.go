package gocode

import (
	"bytes"
	"context"
	"go/format"
	"testing"

	"github.com/eventmap/eventmap/internal/astscan"
)

// Formatting is most of what a run costs, and a run that has nothing to write formats nothing.
func TestGenerate_formatsOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	for _, example := range []struct{ dir, domain, output string }{
		{"shop", "./domain/...", "./shopstore"},
		{"bank", "./domain/...", "./bankstore"},
		{"upgrade", "./release3/domain/...", "./release3/orderstore"},
	} {
		t.Run(example.dir, func(t *testing.T) {
			t.Parallel()
			domain, err := astscan.Scan(context.Background(), astscan.Options{
				Dir: "../../../examples/" + example.dir, Patterns: []string{example.domain}, Output: example.output, Convention: true, IsGenerated: IsOurs,
			})
			if err != nil {
				t.Fatal(err)
			}
			options := Options{Filename: "event_mapping.gen.go", Tests: true, Scenarios: true}
			first, err := Generate(domain, options)
			if err != nil {
				t.Fatal(err)
			}
			current := map[string][]byte{}
			for _, f := range first {
				current[f.Path] = f.Content
			}
			options.Current = func(path string) []byte { return current[path] }
			second, err := Generate(domain, options)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range second {
				switch now := current[f.Path]; {
				case !bytes.Equal(f.Content, now):
					t.Errorf("%s differs:\n%s", f.Path, f.Content)
				case IsOurs(now) && &f.Content[0] != &now[0]:
					t.Errorf("%s is formatted again", f.Path)
				}
			}
		})
	}
}

func TestIsCurrent(t *testing.T) {
	t.Parallel()
	const file = "package p\n\n// F is  one.\nfunc F(a int) string {\n\tx := T{\n\t\ta:      -1,\n\t\tlonger: a.b,\n\t}\n\n\treturn \"a  b\" + x.c\n}\n"
	const source = "package p\n\n\n// F is  one.\nfunc F (a int) string {\nx := T {\na:- 1,\nlonger:a . b,\n}\n\nreturn \"a  b\" + x . c\n}\n"
	if formatted, err := format.Source([]byte(source)); err != nil || string(formatted) != file {
		t.Fatalf("gofmt writes\n%s\n%v", formatted, err)
	}
	for _, tt := range []struct {
		name, old, new string
		want           bool
	}{
		{name: "current", want: true},
		{name: "gaps within a line are wider", old: "+ x", new: "+  x", want: true},
		{name: "another name", old: "longer", new: "longest"},
		{name: "blank in a comment", old: "is  one", new: "is one"},
		{name: "blank in a string", old: "a  b", new: "a b"},
		{name: "indented by spaces", old: "\treturn", new: "    return"},
		{name: "blanks at the end of a line", old: "-1,\n", new: "-1, \n"},
		{name: "tab within a line", old: "longer: ", new: "longer:\t"},
		{name: "line ends of Windows", old: "-1,\n", new: "-1,\r\n"},
		{name: "blank line less", old: "\n\n\treturn", new: "\n\treturn"},
		{name: "blank line more", old: "\n\n\treturn", new: "\n\n\n\treturn"},
		{name: "blank line at the end", old: "x.c\n}\n", new: "x.c\n}\n\n"},
		{name: "no line end", old: "x.c\n}\n", new: "x.c\n}"},
		{name: "something more", old: "x.c\n}\n", new: "x.c\n}\n\nvar x int\n"},
		{name: "something less", old: "\n\treturn \"a  b\" + x.c\n}\n", new: ""},
		{name: "two tokens become one", old: "x.c\n", new: "xc\n"},
	} {
		changed := file
		if tt.old != "" {
			changed = string(bytes.Replace([]byte(file), []byte(tt.old), []byte(tt.new), 1))
		}
		if got := isCurrent([]byte(changed), []byte(source)); got != tt.want || changed == file && tt.old != "" {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

// Tokens that touch may be others than those apart.
func TestIsCurrent_gapsPartTokens(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		file, source string
		want         bool
	}{
		{"f(x)\n", "f (x)\n", true},
		{"a[T]\n", "a [T]\n", true},
		{"*T\n", "* T\n", true},
		{"a b\n", "ab\n", false},
		{"a+ +b\n", "a++b\n", false},
		{"a & ^b\n", "a &^b\n", false},
		{"1 .x\n", "1.x\n", false},
		{"a // b\n", "a / / b\n", false},
		{"'\\'' x\n", "'\\'' x\n", true},
		{"`\\` x\n", "`\\`x\n", true},
		{"\"unfinished\n", "\"unfinished\n", false},
		{"/* a */ b\n", "/* a */ b\n", false},
		{"", "", false},
	} {
		if got := isCurrent([]byte(tt.file), []byte(tt.source)); got != tt.want {
			t.Errorf("file %q, source %q: got %v, want %v", tt.file, tt.source, got, tt.want)
		}
	}
}
