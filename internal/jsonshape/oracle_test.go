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
