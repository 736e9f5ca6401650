package jsonshape

import (
	"bufio"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/eventmap/eventmap/internal/goload"
	"github.com/eventmap/eventmap/internal/model"
)

var shapeModules = flag.Int("shapes", 2, "modules of random types that shapes are tested with; a long run takes 100")

// OtherToolchain names a Go toolchain, such as go1.27.1, whose encoding/json the tests ask beside that of their own.
const otherToolchain = "EVENTMAP_OTHER_TOOLCHAIN"

// What the shapes of random types say is what encoding/json really writes for them, and what it really reads: that of the
// toolchain at hand, and of another one if there is one. Where nothing is said to be lost, both write the same.
func TestRead_saysWhatEncodingJSONDoes(t *testing.T) {
	t.Parallel()
	kinds, err := os.ReadFile("../../cmd/eventmap-gen/testdata/kinds/kinds.go")
	if err != nil {
		t.Fatal(err)
	}
	repo, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile("../../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	draw := rapid.Custom(drawTypes)
	all, refused := 0, 0
	for seed := range *shapeModules {
		types := draw.Example(seed)
		dir := writeModule(t, map[string][]byte{
			"go.mod":         fmt.Appendf(nil, shapeModule, repo),
			"go.sum":         sum,
			"kinds/kinds.go": kinds,
			"types/types.go": []byte(types.source),
			"main.go":        []byte(codecProgram(types.count)),
		})
		shapes, loses := shapesOf(t, dir, types.count)
		all += types.count
		codecs := []codec{startCodec(t, dir, "")}
		if other := os.Getenv(otherToolchain); other != "" {
			codecs = append(codecs, startCodec(t, dir, other))
		}
		for i, shape := range shapes {
			if loses[i] {
				refused++
			} else if err := compare(codecs, i, shape); err != nil {
				t.Errorf("T%d: %v\n%s", i, err, types.source)
				break
			}
		}
		for _, c := range codecs {
			c.stop()
		}
	}
	t.Logf("%d types of %d, in %d modules, lose something and are not compared", refused, all, *shapeModules)
}

// compare compares a shape with what the codecs do, and them with each other.
func compare(codecs []codec, index int, shape *model.Shape) error {
	for _, c := range codecs {
		check := shapeCheck{codec: c, index: index, root: shape}
		if err := check.run(); err != nil {
			return fmt.Errorf("%s: %w", c.toolchain, err)
		}
	}
	for _, verb := range []string{"zero", "full"} {
		want, wantErr := codecs[0].ask(verb, index, "")
		for _, c := range codecs[1:] {
			got, err := c.ask(verb, index, "")
			if got != want || (err == nil) != (wantErr == nil) {
				return fmt.Errorf("%s value: %s, but with %s %s: %w", verb, want, c.toolchain, got, errors.Join(wantErr, err))
			}
		}
	}
	return nil
}

const shapeModule = `module example.com/m

go 1.26.0

require github.com/eventmap/eventmap v0.0.0

require github.com/google/uuid v1.6.0

replace github.com/eventmap/eventmap => %s
`

// writeModule writes files below a new folder and returns it.
func writeModule(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// shapesOf returns the shapes of the types T0, T1 and so on of package types, and which of them the scan would refuse
// because they do not come back from JSON as they went out.
func shapesOf(t *testing.T, dir string, count int) (shapes []*model.Shape, loses []bool) {
	at, err := goload.NewDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	program, err := goload.Load(t.Context(), goload.Options{Dir: at, Patterns: []string{"./types"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Build(&goload.Output{}).Problems.Err(); err != nil {
		t.Fatal(err)
	}
	reader := NewReader(Source{Fset: program.Fset, Owns: func(types.Object) bool { return true }})
	shapes, loses = make([]*model.Shape, count), make([]bool, count)
	for i := range count {
		decl := program.Packages[0].Types.Scope().Lookup(fmt.Sprintf("T%d", i)).(*types.TypeName)
		reading := reader.Read(decl)
		shapes[i], loses[i] = reading.Shape, len(reading.Losses) > 0
	}
	return shapes, loses
}

// randomTypes is a package of types that embed, shadow and contain each other.
type randomTypes struct {
	source string
	count  int
}

// drawTypes draws a package at random.
func drawTypes(t *rapid.T) randomTypes {
	count := rapid.IntRange(60, 80).Draw(t, "types")
	var b strings.Builder
	b.WriteString(shapeHead)
	for i := range count {
		fmt.Fprintf(&b, "\ntype T%d struct {\n%s}\n", i, drawFields(t, i, count))
	}
	return randomTypes{b.String(), count}
}

const shapeHead = `package types

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"example.com/m/kinds"
)

var _ json.RawMessage
var _ time.Time
var _ kinds.Money

type inner struct {
	A      int
	Note   string ` + "`json:\"note\"`" + `
	hidden int    ` + "`json:\"-\"`" + `
}

// shy is not exported and writes itself.
type shy struct{ Name string }

func (s shy) MarshalJSON() ([]byte, error) { return json.Marshal(s.Name) }

func (s *shy) UnmarshalJSON(text []byte) error { return json.Unmarshal(text, &s.Name) }

// Nought says itself when it is zero.
type Nought struct{ N int }

func (n Nought) IsZero() bool { return n.N == 0 }

type nought struct{ Nought }

// Appends has the method that encoding/json of Go 1.27 calls.
type Appends struct{ Text string }

func (a Appends) AppendText(b []byte) ([]byte, error) { return append(b, a.Text...), nil }

func (a *Appends) UnmarshalText(text []byte) error { a.Text = string(text); return nil }

// Both has both forms, as the types of the standard library have.
type Both struct{ Text string }

func (b Both) AppendText(to []byte) ([]byte, error) { return append(to, b.Text...), nil }

func (b Both) MarshalText() ([]byte, error) { return b.AppendText(nil) }

func (b *Both) UnmarshalText(text []byte) error { b.Text = string(text); return nil }

// Host has one of its text methods from what it embeds.
type Host struct {
	netip.Addr
	Port uint16
}

func (h Host) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%s!%d", h.Addr, h.Port), nil }

func (h *Host) UnmarshalText(text []byte) error {
	addr, port, _ := strings.Cut(string(text), "!")
	_, _ = fmt.Sscan(port, &h.Port)
	return h.Addr.UnmarshalText([]byte(addr))
}

type outer struct {
	inner
	B kinds.Text
	C *int
}

type (
	number int
	alias  = inner
)
`

var (
	// What is embedded beside the types that were drawn before: not exported, no struct, an alias, with methods for JSON.
	shapeEmbedded = []string{
		"inner", "outer", "number", "alias", "kinds.Base", "*kinds.Base", "kinds.Pair[string, int]", "kinds.Text", "*kinds.Text", "kinds.Table", "kinds.Moment",
		"time.Time", "*time.Time", "kinds.Money", "kinds.Shy", "kinds.Ref", "kinds.Tree", "kinds.Colour", "json.Number", "json.RawMessage", "kinds.Opt[int]",
		"shy", "Nought", "nought", "Appends", "Both",
	}
	shapeScalars = []string{
		"bool", "string", "int", "int8", "int16", "int32", "int64", "uint", "uint8", "uint16", "uint32", "uint64", "uintptr", "float32", "float64", "[]byte",
		"time.Time", "time.Duration", "json.RawMessage", "json.Number", "kinds.Text", "kinds.Count", "kinds.Octet", "kinds.Ratio", "kinds.Truth", "kinds.Blob",
		"kinds.Octets", "kinds.Bits", "kinds.Table", "kinds.Colour", "kinds.Level", "kinds.Money", "kinds.Shy", "kinds.Ref", "kinds.Tree", "kinds.Moment", "kinds.Base",
		"kinds.Pair[string, *kinds.Money]", "kinds.Opt[int]", "struct{ A, B int8 }", "struct{ time.Time }", "struct{}", "Nought", "Appends", "Both", "Host", "struct{ json.Number }",
	}
	shapeKeys  = []string{"string", "int", "int8", "uint16", "uint64", "kinds.Text", "kinds.Count", "kinds.Colour", "kinds.Level", "kinds.Ref", "time.Time", "float64", "Appends", "Both"}
	shapeNames = []string{"A", "B", "C", "D", "E", "Note", "hidden"}
	shapeTags  = []string{
		"", "", "", "a", "b", "Note", "note", "-", "-,", ",omitempty", ",omitzero", ",string", "c,omitempty", "d,string,omitempty", "e,omitzero,string",
		"ü,omitempty", "x y", ",unknown",
	}
	// What the versions of encoding/json may take differently.
	shapeOddTags = []string{
		"bad\\\"name",
		"it's", "'q'", "back\\\\slash", "€", "नमस्ते", "a\\u00a0b", ",omitempty ", ", omitempty", ",omitempty string", ",omitempty:x", "f,", "f,,string", ",embed", ",case:strict",
		",case:ignore", ",format:unix", ",'omitempty'", ",x-omitempty", ",string,string", "-,omitempty", ",omitzero;string", ",OMITEMPTY", ",Omit_Zero", "true", "9", "_", "?!",
	}
)

// drawFields draws the fields of T<i>. Those before it may be embedded and be held by value, all others by pointer, in
// slices and in maps.
func drawFields(t *rapid.T, i, count int) string {
	var b strings.Builder
	taken := map[string]bool{}
	for range rapid.IntRange(0, 6).Draw(t, "fields") {
		name := rapid.SampledFrom(shapeNames).Draw(t, "name")
		typ := drawType(t, i, count, 3)
		if i > 0 && rapid.IntRange(0, 2).Draw(t, "embed") == 0 {
			name = fmt.Sprintf("T%d", rapid.IntRange(0, i-1).Draw(t, "embedded"))
			typ = ""
		}
		if rapid.IntRange(0, 7).Draw(t, "embed other") == 0 {
			name, typ = rapid.SampledFrom(shapeEmbedded).Draw(t, "other"), ""
		}
		goName := name[strings.LastIndexAny(strings.SplitN(name, "[", 2)[0], "*.")+1:]
		goName, _, _ = strings.Cut(goName, "[")
		if taken[goName] {
			continue
		}
		taken[goName] = true
		if typ == "" && name == goName && strings.HasPrefix(name, "T") && rapid.Bool().Draw(t, "by pointer") {
			name = "*" + name
		}
		tag := rapid.SampledFrom(shapeTags).Draw(t, "tag")
		if rapid.IntRange(0, 15).Draw(t, "odd") == 0 {
			tag = rapid.SampledFrom(shapeOddTags).Draw(t, "odd tag")
		}
		fmt.Fprintf(&b, "\t%s %s `json:\"%s\"`\n", name, typ, tag)
	}
	return b.String()
}

func drawType(t *rapid.T, i, count, depth int) string {
	form := rapid.IntRange(0, 9).Draw(t, "form")
	if depth == 0 {
		form = 9
	}
	switch form {
	case 0:
		return "*" + drawType(t, i, count, depth-1)
	case 1:
		return "[]" + drawType(t, i, count, depth-1)
	case 2:
		return fmt.Sprintf("[%d]%s", rapid.IntRange(0, 2).Draw(t, "length"), drawType(t, i, count, depth-1))
	case 3:
		return "map[" + rapid.SampledFrom(shapeKeys).Draw(t, "key") + "]" + drawType(t, i, count, depth-1)
	case 4:
		indirect := rapid.SampledFrom([]string{"*", "[]", "map[string]", "[]*"}).Draw(t, "indirect")
		return fmt.Sprintf("%sT%d", indirect, rapid.IntRange(0, count-1).Draw(t, "type"))
	case 5:
		if i > 0 {
			return fmt.Sprintf("T%d", rapid.IntRange(0, i-1).Draw(t, "type"))
		}
	}
	return rapid.SampledFrom(shapeScalars).Draw(t, "scalar")
}

// codecProgram returns a program that encodes and decodes the types on request, one a line.
func codecProgram(count int) string {
	var b strings.Builder
	b.WriteString(`package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/eventmap/eventmap/runtime/eventtest"

	"example.com/m/types"
)

type codec struct{ zero, full, read func(string) ([]byte, error) }

func codecOf[T any]() codec {
	return codec{
		zero: func(string) ([]byte, error) { return json.Marshal(new(T)) },
		full: func(string) ([]byte, error) { v := eventtest.Sample[T](); return json.Marshal(&v) },
		read: func(text string) ([]byte, error) {
			v := new(T)
			if err := json.Unmarshal([]byte(text), v); err != nil {
				return nil, err
			}
			return json.Marshal(v)
		},
	}
}

// safely returns an error where encoding/json panics.
func safely(do func(string) ([]byte, error), arg string) (text []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return do(arg)
}

func main() {
	codecs := []codec{
`)
	for i := range count {
		fmt.Fprintf(&b, "\t\tcodecOf[types.T%d](),\n", i)
	}
	b.WriteString(`	}
	in := bufio.NewReader(os.Stdin)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 3)
		var i int
		fmt.Sscan(parts[1], &i)
		do := map[string]func(string) ([]byte, error){"zero": codecs[i].zero, "full": codecs[i].full, "read": codecs[i].read}[parts[0]]
		text, err := safely(do, parts[2])
		if err != nil {
			fmt.Printf("error %q\n", err)
			continue
		}
		fmt.Printf("%s\n", text)
	}
}
`)
	return b.String()
}

// A codec is a running program that encodes and decodes.
type codec struct {
	toolchain string
	cmd       *exec.Cmd
	in        io.WriteCloser
	out       *bufio.Reader
}

// startCodec builds the program with a toolchain, or with that of the test, and runs it.
func startCodec(t *testing.T, dir, toolchain string) codec {
	name := "codec" + toolchain
	build := exec.Command("go", "build", "-mod=mod", "-o", name, ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "GOWORK=off")
	if toolchain == "" {
		build.Env = append(build.Env, "GOPROXY=off")
	} else {
		build.Env = append(build.Env, "GOTOOLCHAIN="+toolchain)
	}
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	cmd := exec.Command(filepath.Join(dir, name))
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return codec{toolchain: cmp.Or(toolchain, runtime.Version()), cmd: cmd, in: in, out: bufio.NewReader(out)}
}

func (c codec) stop() {
	_ = c.in.Close()
	_ = c.cmd.Wait()
}

// ask returns the program's answer: JSON, or the error that encoding/json gave.
func (c codec) ask(verb string, index int, text string) (string, error) {
	if _, err := fmt.Fprintf(c.in, "%s %d %s\n", verb, index, text); err != nil {
		return "", err
	}
	answer, err := c.out.ReadString('\n')
	if err != nil {
		return "", err
	}
	answer = strings.TrimSuffix(answer, "\n")
	if said, ok := strings.CutPrefix(answer, "error "); ok {
		return "", fmt.Errorf("encoding/json: %s", said)
	}
	return answer, nil
}
