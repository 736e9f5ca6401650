package main

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/eventmap/eventmap/internal/cli/clitest"
)

var (
	jsonInputs = flag.Int("inputs", 200_000, "values and payloads that generated JSON is compared with encoding/json by; a long run takes 10000000")
	jsonSeed   = flag.Uint64("jsonseed", 1, "seed of the types, values and payloads")
)

// What generated code writes and reads is what encoding/json does: bytes, values and errors. The toolchain is that of the
// test; a long run: GOTOOLCHAIN=go1.27.1 go test ./cmd/eventmap-gen -run plainJSON -inputs 10000000 -timeout 1h.
func TestRun_plainJSONIsThatOfEncodingJSON(t *testing.T) {
	t.Parallel()
	repo, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := clitest.WriteModule(dir, modulePath, repo); err != nil {
		t.Fatal(err)
	}
	d := jsonDomain{Rand: rand.New(rand.NewPCG(*jsonSeed, 0))}
	events := d.draw(60)
	files := map[string][]byte{"thing/thing.go": []byte(d.source.String()), "fuzz/subjects.go": subjectsOf(events)}
	for from, to := range map[string]string{"testdata/kinds/kinds.go": "kinds/kinds.go", "testdata/plainjson/main.go": "fuzz/main.go"} {
		if files[to], err = os.ReadFile(from); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) string {
		t.Helper()
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s\n%s", strings.Join(args, " "), err, out, d.source.String())
		}
		return strings.TrimSpace(string(out))
	}
	command, err := os.Executable() // TestMain makes it the command under this name
	if err != nil {
		t.Fatal(err)
	}
	generator := filepath.Join(t.TempDir(), "eventmap-gen")
	if err := os.Symlink(command, generator); err != nil {
		t.Fatal(err)
	}
	run(generator, "--input", "./thing", "--output", "./store")
	code, err := os.ReadFile(filepath.Join(dir, "store", "thing_json.gen.go"))
	if err != nil {
		t.Fatal(err)
	}
	if written := bytes.Count(code, []byte("\nfunc encodeThing")); written < len(events)/2 {
		t.Errorf("code was generated for %d of %d events", written, len(events))
	}
	run("go", "vet", "./store", "./fuzz")
	if err := os.WriteFile(filepath.Join(dir, "store", "same_test.go"), sameTest(string(code)), 0o644); err != nil {
		t.Fatal(err)
	}
	run("go", "test", "./store", "-run", "IsSame")
	t.Log(run("go", "run", "./fuzz", fmt.Sprint("-inputs=", *jsonInputs), fmt.Sprint("-seed=", *jsonSeed)))
}

// sameTest returns a test that fails if a type has not the fingerprint that generated code knows it by.
func sameTest(code string) []byte {
	var b bytes.Buffer
	b.WriteString("package store\n\nimport \"testing\"\n\nfunc TestIsSame(t *testing.T) {\n")
	for _, name := range regexp.MustCompile(`(?m)^var (plain\w+) = `).FindAllStringSubmatch(code, -1) {
		fmt.Fprintf(&b, "\tif !%s.IsSame() {\n\t\tt.Error(%[1]q)\n\t}\n", name[1])
	}
	b.WriteString("}\n")
	return b.Bytes()
}

// subjectsOf returns the file that lists the events for the program that compares.
func subjectsOf(events []string) []byte {
	var b bytes.Buffer
	b.WriteString(`package main

import (
	"github.com/eventmap/eventmap/runtime"

	"` + modulePath + `/store"
)

var subjects = []subject{
`)
	for _, e := range events {
		fmt.Fprintf(&b, "\tsubjectOf(%q, store.ToThing%[1]sV1, store.FromThing%[1]sV1, runtime.Event{AggregateType: \"Thing\", EventType: %[1]q, EventVersion: 1}),\n", e)
	}
	b.WriteString("}\n")
	return b.Bytes()
}

// A jsonDomain is a package of random events, of which none loses anything as JSON.
type jsonDomain struct {
	*rand.Rand
	source strings.Builder
}

func (d *jsonDomain) draw(count int) (events []string) {
	d.source.WriteString("package thing\n\nimport (\n\t\"encoding/json\"\n\t\"time\"\n\n\t\"github.com/google/uuid\"\n\n\t\"" + modulePath + `/kinds"
)

var (
	_ json.RawMessage
	_ time.Time
	_ uuid.UUID
	_ kinds.Text
)

//eventmap:events Thing
type Event interface{ thing() }

// Nought says itself when it is zero.
type Nought struct{ N int }

func (n Nought) IsZero() bool { return n.N < 1 }

type hidden struct {
	Inner int
	Note  string
}

type word string

// What is embedded has names that nothing else has.
type (
	Near struct {
		NearA string
		NearB *time.Time "json:\"near_b,omitempty\""
	}
	Far struct {
		Near
		FarA kinds.Money "json:\"farA\""
		FarB []int       "json:\",omitempty\""
	}
	Lent struct{ LentA int }
)
`)
	for i := range count {
		fmt.Fprintf(&d.source, "\ntype P%d struct {\n", i)
		d.fields(i, false)
		d.source.WriteString("}\n")
	}
	for i := range count {
		name := fmt.Sprintf("E%d", i)
		fmt.Fprintf(&d.source, "\ntype %s struct {\n", name)
		d.fields(count, true)
		fmt.Fprintf(&d.source, "}\n\nfunc (%s) thing() {}\n", name)
		events = append(events, name)
	}
	return events
}

var jsonScalars = []string{
	"bool", "string", "string", "int", "int8", "int16", "int32", "int64", "uint", "uint8", "uint16", "uint32", "uint64", "uintptr", "float32", "float64",
	"time.Time", "time.Time", "time.Duration", "kinds.Text", "kinds.Count", "kinds.Octet", "kinds.Ratio", "kinds.Truth", "word",
	"[]byte", "uuid.UUID", "json.RawMessage", "json.Number", "kinds.Blob", "kinds.Bits", "kinds.Table", "kinds.Colour", "kinds.Money", "kinds.Shy", "kinds.Ref", "kinds.Tree",
	"kinds.Base", "kinds.Pair[string, int]", "kinds.Opt[int]", "struct{ A, B int8 }", "struct{}", "Nought", "map[string]int", "map[kinds.Ref]string",
}

// fields draws fields. Of the structs P0, P1 and so on, those below the bound may be used.
func (d *jsonDomain) fields(bound int, event bool) {
	names := []string{"a", "name", "Name", "unknown", "unKnown", "under_score", "hyphen-ated", "k", "s", "x y", "ü", "A", "b", "c", "d"}
	d.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	n := d.IntN(9)
	if event && d.IntN(30) == 0 {
		n = 16
	}
	folded := map[string]bool{}
	for i := range n {
		name := names[i%len(names)]
		if key := strings.ToLower(name); folded[key] || name == "ü" && (!event || d.IntN(4) > 0) {
			continue
		} else {
			folded[key] = true
		}
		typ := d.typ(bound)
		option := ""
		switch d.IntN(6) {
		case 0:
			option = ",omitempty"
		case 1:
			option = ",omitzero"
		}
		if event && d.IntN(60) == 0 && (typ == "int" || typ == "bool" || typ == "string") {
			option = ",string"
		}
		fmt.Fprintf(&d.source, "\tF%d %s `json:\"%s%s\"`\n", i, typ, name, option)
	}
	if d.IntN(4) == 0 {
		fmt.Fprintf(&d.source, "\t%s\n", []string{"Near", "Far", "Far", "Near"}[d.IntN(4)])
	}
	if event && d.IntN(20) == 0 {
		d.source.WriteString("\t*Lent\n")
	}
	if d.IntN(12) == 0 {
		d.source.WriteString("\thidden\n")
	}
}

func (d *jsonDomain) typ(bound int) string {
	scalar := jsonScalars[d.IntN(len(jsonScalars))]
	part := scalar
	if bound > 0 && d.IntN(2) == 0 {
		part = fmt.Sprintf("P%d", d.IntN(bound))
	}
	switch d.IntN(10) {
	case 0, 1:
		return part
	case 2:
		return "*" + part
	case 3, 4:
		return "[]" + part
	case 5:
		return "[]*" + part
	case 6:
		return "[2]" + part
	case 7:
		return "map[string]*" + part // what lies in a map has no address, which kinds.Shy needs
	}
	return scalar
}
