package fingerprint_test

import (
	"errors"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/internal/fingerprint"
)

// A module is packages by path, each of one file. Packages whose path begins with "unread/" are checked, but not read. Further
// files of a package have a path that ends in .go, with a minus before it if this build leaves them out.
type module map[string]string

// with returns the module with one text replaced, which must be there once.
func (m module) with(t *testing.T, path, text, by string) module {
	t.Helper()
	if strings.Count(m[path], text) != 1 {
		t.Fatalf("%q is not once in %s:\n%s", text, path, m[path])
	}
	m = maps.Clone(m)
	m[path] = strings.Replace(m[path], text, by, 1)
	return m
}

type loader struct {
	t        *testing.T
	fset     *token.FileSet
	module   module
	std      types.Importer
	packages map[string]*fingerprint.Package
}

func (l *loader) Import(path string) (*types.Package, error) {
	source, ok := l.module[path]
	if !ok {
		return l.std.Import(path)
	}
	if p, ok := l.packages[path]; ok {
		return p.Types, nil
	}
	file, err := parser.ParseFile(l.fset, path+"/file.go", source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	p := &fingerprint.Package{Files: []*ast.File{file}, NonGo: strings.Contains(source, "//go:embed")}
	for _, name := range slices.Sorted(maps.Keys(l.module)) {
		below, excluded := strings.CutPrefix(name, "-")
		if !strings.HasSuffix(name, ".go") || !strings.HasPrefix(below, path+"/") {
			continue
		}
		further, err := parser.ParseFile(l.fset, below, l.module[name], parser.ParseComments|parser.SkipObjectResolution)
		switch {
		case err != nil:
			return nil, err
		case excluded:
			p.Excluded = append(p.Excluded, further)
		default:
			p.Files = append(p.Files, further)
		}
	}
	info := &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{}, Instances: map[*ast.Ident]types.Instance{},
	}
	checked, err := (&types.Config{Importer: l}).Check(path, l.fset, p.Files, info)
	if err != nil {
		return nil, err
	}
	p.Types, p.Info = checked, info
	l.packages[path] = p
	return checked, nil
}

var exports = sync.OnceValues(func() (map[string]string, error) {
	out, err := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}",
		"context", "crypto/ed25519", "database/sql", "errors", "fmt", "maps", "math/big", "math/rand/v2", "net", "os", "path/filepath", "regexp", "runtime", "slices", "sort", "strings",
		"sync", "sync/atomic", "testing", "time", "unsafe", "weak").Output()
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		files[path] = file
	}
	return files, nil
})

// exportData finds what the compiler left of packages of the standard library.
func exportData(t *testing.T) importer.Lookup {
	t.Helper()
	files, err := exports()
	if err != nil {
		t.Fatal(err)
	}
	return func(path string) (io.ReadCloser, error) { return os.Open(files[path]) }
}

// fold returns the fingerprint of the method Fold of the type State in the package domain, and of the function Upcast if there is one.
func fold(t *testing.T, m module, identities map[string]string) fingerprint.Result {
	t.Helper()
	fset := token.NewFileSet()
	l := &loader{t, fset, m, importer.ForCompiler(fset, "gc", exportData(t)), map[string]*fingerprint.Package{}}
	for _, path := range slices.Sorted(maps.Keys(m)) {
		if strings.HasSuffix(path, ".go") {
			continue
		}
		if _, err := l.Import(path); err != nil {
			t.Fatal(err)
		}
	}
	source := fingerprint.Source{
		Fset:     fset,
		Standard: func(path string) bool { return m[path] == "" },
		Identity: func(path string) (string, error) {
			if id, ok := identities[path]; ok {
				return id, nil
			}
			return "", errors.New("nobody knows")
		},
	}
	for _, path := range slices.Sorted(maps.Keys(l.packages)) {
		if !strings.HasPrefix(path, "unread/") {
			source.Packages = append(source.Packages, l.packages[path])
		}
	}
	state := l.packages["domain"].Types.Scope().Lookup("State")
	method, _, _ := types.LookupFieldOrMethod(types.NewPointer(state.Type()), true, l.packages["domain"].Types, "Fold")
	roots := []types.Object{method, state}
	if upcaster := l.packages["domain"].Types.Scope().Lookup("Upcast"); upcaster != nil {
		roots = append(roots, upcaster)
	}
	result, err := fingerprint.NewCode(source).Fingerprint(roots)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

var shop = module{
	"domain": `package domain

import (
	"fmt"
	"strings"

	"money"
	"unread/decimal"
)

const limit = 100

const (
	small = iota
	large
)

type State struct {
	Total money.Amount
	Kind  int
	Rule  Rule
	Label string
	Exact decimal.D
}

type Rule interface{ Apply(n int) int }

func (s *State) Fold(n int) {
	if n > limit {
		s.Kind = large
	}
	s.Total = s.Total.Add(money.Amount(s.Rule.Apply(n)))
	s.Label = strings.ToUpper(fmt.Sprint(s.Total))
}

// Upcast turns an old event into a new one.
func Upcast(old int) int { return 10 * old }

// Pay decides, and folds nothing.
func (s State) Pay() int { return 1 }

func unrelated() int { return 1 }
`,
	"money": `package money

import "round"

type Amount int

func (a Amount) Add(b Amount) Amount { return a + b*Amount(round.Factor()) }

// String is called by fmt.
func (a Amount) String() string { return "amount" }

// MarshalJSON is called by encoding/json.
func (a Amount) MarshalJSON() ([]byte, error) { return []byte("1"), nil }

func (a Amount) unused() int { return 2 }
`,
	"round": `package round

func Factor() int { return factor }

var factor = compute()

func compute() int { return 1 }
`,
	"rules": `package rules

type Double struct{}

func (Double) Apply(n int) int { return 2 * n }

func (Double) Describe() string { return "twice" }
`,
	"unread/decimal": `package decimal

type D struct{ N int }
`,
}

// shopVersions are those of what the shop depends on.
var shopVersions = map[string]string{"unread/decimal": "v1.0.0"}

func TestOf_changesWithWhatIsReached(t *testing.T) {
	t.Parallel()
	before := fold(t, shop, shopVersions)
	if len(before.Refusals)+len(before.Warnings) > 0 {
		t.Fatalf("findings: %v %v", before.Refusals, before.Warnings)
	}
	if want := []string{"domain/file.go", "money/file.go", "round/file.go", "rules/file.go"}; !slices.Equal(before.Files, want) {
		t.Errorf("files: want %v, got %v", want, before.Files)
	}
	for _, tt := range []struct {
		name, path, text, by string // without a path, text is a dependency and by its version
		changes              bool
	}{
		{"the body of the fold", "domain", "n > limit", "n >= limit", true},
		{"a constant", "domain", "limit = 100", "limit = 101", true},
		{"the order of an enumeration", "domain", "small = iota\n\tlarge", "large = iota\n\tsmall", true},
		{"a field's type", "domain", "Kind  int", "Kind  int8", true},
		{"a method of another package", "money", "a + b", "a - b", true},
		{"a method that fmt calls", "money", `"amount"`, `"cents"`, true},
		{"a helper two packages away", "round", "return factor", "return -factor", true},
		{"the initialiser of a variable, through a function", "round", "int { return 1 }", "int { return 2 }", true},
		{"an implementation called through an interface", "rules", "2 * n", "3 * n", true},
		{"an upcaster", "domain", "10 * old", "100 * old", true},
		{"a MarshalJSON", "money", `"1"`, `"2"`, true},
		{"a dependency's version", "", "unread/decimal", "v1.0.1", true},
		{"the same version of a dependency", "", "unread/decimal", "v1.0.0", false},
		{"dots of a call and the like", "rules", "type Double struct", "type Double [0]struct", true},
		{"a comment", "domain", "// Pay decides, and folds nothing.", "// Pay decides.", false},
		{"a layout", "domain", "n > limit {", "(n > limit) {\n", false},
		{"a method that decides", "domain", "Pay() int { return 1 }", "Pay() int { return 2 }", false},
		{"a function that is not called", "domain", "unrelated() int { return 1 }", "unrelated() int { return 2 }", false},
		{"a method that is not called", "money", "return 2", "return 3", false},
		{"another method of an implementation", "rules", `"twice"`, `"double"`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, versions := shop, shopVersions
			if tt.path == "" {
				versions = map[string]string{tt.text: tt.by}
			} else {
				m = shop.with(t, tt.path, tt.text, tt.by)
			}
			after := fold(t, m, versions)
			if got := before.Sum != after.Sum; got != tt.changes {
				t.Errorf("changes: want %t, got %t", tt.changes, got)
			}
		})
	}
}

func TestOf_anotherPackageBehindOneName(t *testing.T) {
	t.Parallel()
	m := maps.Clone(shop)
	m["coins"] = strings.Replace(m["money"], "package money", "package money", 1)
	before := fold(t, m, shopVersions)
	after := fold(t, m.with(t, "domain", `"money"`, `money "coins"`), shopVersions)
	if before.Sum == after.Sum {
		t.Error("an import of another package behind the same name changes nothing")
	}
}

func TestOf_identityOfWhatWasNotRead(t *testing.T) {
	t.Parallel()
	m := module{
		"domain": `package domain

import "unread/decimal"

type State struct{ D decimal.D }

func (s *State) Fold(n int) { s.D = decimal.New(n) }
`,
		"unread/decimal": `package decimal

type D struct{ n int }

func New(n int) D { return D{n} }
`,
	}
	v1 := fold(t, m, map[string]string{"unread/decimal": "v1"})
	v2 := fold(t, m, map[string]string{"unread/decimal": "v2"})
	if v1.Sum == v2.Sum {
		t.Error("another version of a dependency changes nothing")
	}
}

func TestOf_packageThatEmbedsFiles(t *testing.T) {
	t.Parallel()
	m := module{
		"domain": "package domain\n\nimport \"rates\"\n\ntype State struct{ N int }\n\nfunc (s *State) Fold(n int) { s.N = rates.Of(n) }\n",
		"rates":  "package rates\n\n//go:embed rates.txt\nvar table string\n\nfunc Of(n int) int { return len(table) }\n\nfunc other() int { return 1 }\n",
	}
	identities := map[string]string{"rates": "1"}
	before := fold(t, m, identities)
	if after := fold(t, m, map[string]string{"rates": "2"}); before.Sum == after.Sum {
		t.Error("another embedded file changes nothing")
	}
	if after := fold(t, m.with(t, "rates", "return 1", "return 2"), identities); before.Sum == after.Sum {
		t.Error("another function of a package that embeds files changes nothing")
	}
}

func TestOf_findings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		imports  string
		body     string
		rest     string
		refusals []string
		warnings []string
	}{
		{"the clock", "time", "s.N = time.Now().Year()", "", []string{"time.Now depends on the clock"}, nil},
		{"the clock as a value", "time", "now := time.Now; s.N = now().Year()", "", []string{"time.Now depends on the clock"}, nil},
		{"a time that is no clock", "time", "s.N = time.Unix(0, 0).UTC().Year()", "", nil, nil},
		{"times that are compared", "time", "if t := time.Unix(0, 0).UTC(); t.After(t) || t.Sub(t) > 0 { s.N = 1 }", "", nil, nil},
		{"a time in the zone of the system", "time", "s.N = time.UnixMilli(0).Year()", "", nil, []string{"time.UnixMilli gives a time in the time zone of the system; call UTC"}},
		{"the zone of the system", "time", "s.N = time.Unix(0, 0).In(time.Local).Hour()", "", []string{"time.Local depends on the time zones of the system"}, nil},
		{"a time moved to the zone of the system", "time", "s.N = time.Date(1, 1, 1, 1, 1, 1, 1, time.UTC).Local().Hour()", "", []string{"time.Time.Local depends on the time zones"}, nil},
		{"an abbreviated zone", "time", "t, _ := time.Parse(time.RFC1123, ``); s.N = t.Hour()", "", []string{"time.Parse reads the abbreviation of a time zone"}, nil},
		{"an offset", "time", "t, _ := time.Parse(time.RFC3339, ``); s.N = t.Hour()", "", nil, nil},
		{"an abbreviated zone in a location", "time", "t, _ := time.ParseInLocation(time.RFC1123, ``, time.UTC); s.N = t.Hour()", "", nil, nil},
		{"chance", "math/rand/v2", "s.N = rand.IntN(3)", "", []string{"rand.IntN depends on chance"}, nil},
		{"the environment", "os", "s.N = len(os.Args)", "", []string{"os.Args depends on the environment"}, nil},
		{"the environment by a call", "os", `s.N = len(os.Getenv("A"))`, "", []string{"os.Getenv depends on the environment"}, nil},
		{"a goroutine", "", "go func() {}()", "", []string{"starts a goroutine"}, nil},
		{"a channel", "", "c := make(chan int, 1); c <- 1; s.N = <-c", "", []string{"sends to a channel", "receives from a channel"}, nil},
		{"a variable that is set", "", "s.N = rate", "var rate = 1\n\nfunc init() { rate = 2 }", []string{"rate is changed here"}, nil},
		{"a map that is filled", "", "s.N = rates[1]", "var rates = map[int]int{}\n\nfunc init() { rates[1] = 2 }", []string{"rates is changed here"}, nil},
		{"a variable by its address", "", "s.N = rate", "var rate = 1\n\nfunc Rate() *int { return &rate }", []string{"rate is handed on here"}, nil},
		{"a variable by a method", "", "s.N = count.n", "var count counter\n\ntype counter struct{ n int }\n\nfunc (c *counter) Inc() { c.n++ }\n\nfunc F() { count.Inc() }", []string{"count is changed here"}, nil},
		{"a method that only reads", "", "s.N = count.Get()", "var count counter\n\ntype counter struct{ n int }\n\nfunc (c *counter) Get() int { return c.n }", nil, nil},
		{"a table", "", "s.N = rates[1]", "var rates = map[int]int{1: 2}", nil, nil},
		{"an expression", "regexp", `if re.MatchString("a") { s.N = 1 }`, "var re = regexp.MustCompile(`a`)", nil, nil},
		{"a goroutine of a group", "sync", "var g sync.WaitGroup; g.Go(func() { s.N++ }); g.Wait()", "", []string{"sync.WaitGroup.Go depends on the order in which goroutines run"}, nil},
		{"a goroutine of a context", "context", "context.AfterFunc(context.Background(), func() { s.N++ })", "", []string{"context.AfterFunc depends on the order"}, nil},
		{"what somebody types", "fmt", "fmt.Scan(&s.N)", "", []string{"fmt.Scan depends on the environment"}, nil},
		{"the network by a method", "net", "_, err := new(net.Dialer).Dial(``, ``); if err != nil { s.N = 1 }", "", []string{"net.Dialer.Dial depends on the network"}, nil},
		{"a database that is there", "database/sql", "var db *sql.DB; if db.QueryRow(``).Err() != nil { s.N = 1 }", "", []string{"sql.DB.QueryRow depends on a database"}, nil},
		{"a value of a database", "database/sql", "var v sql.NullInt64; if v.Scan(n) == nil { s.N = int(v.Int64) }", "", nil, nil},
		{"chance of a key", "crypto/ed25519", "key, _, _ := ed25519.GenerateKey(nil); s.N = int(key[0])", "", []string{"ed25519.GenerateKey depends on chance"}, nil},
		{"the garbage collector", "weak", "if weak.Make(s).Value() == nil { s.N = 1 }", "", []string{"weak.Make depends on the garbage collector", "weak.Pointer.Value depends"}, nil},
		{"a test that runs", "testing", "if testing.Testing() { s.N = 1 }", "", []string{"testing.Testing depends on the process"}, nil},
		{"the system of the build", "runtime", `if runtime.GOOS == "linux" { s.N = 1 }`, "", []string{"runtime.GOOS depends on the system that the program is built for"}, nil},
		{"the separator of paths", "os", "s.N = os.PathSeparator", "", []string{"os.PathSeparator depends on the system that"}, nil},
		{"paths of the system", "path/filepath", "s.N = len(filepath.Join(`a`, `b`))", "", []string{"filepath.Join depends on the system that"}, nil},
		{"an address", "unsafe", "s.N = int(uintptr(unsafe.Pointer(s)))", "", []string{"takes an address as a number"}, nil},
		{"an address as a text", "fmt", "s.N = len(fmt.Sprintf(`%-20p`, s))", "", []string{"prints an address by %p"}, nil},
		{"an address in an error", "fmt", "if err := fmt.Errorf(`%d: %[1]p`, s); err != nil { s.N = 1 }", "", []string{"prints an address by %p"}, nil},
		{"no address", "fmt", "s.N = len(fmt.Sprintf(`100%% plain %dp`, n))", "", nil, nil},
		{"a pointer as a text", "fmt", "s.N = len(fmt.Sprint(&n))", "", nil, []string{"prints a *int as an address"}},
		{"a pointer in a text", "fmt", "s.N = len(fmt.Sprintf(`%v`, &struct{ P map[string]*State }{}))", "", nil, []string{"prints a *domain.State as an address"}},
		{"a function in a text", "fmt", "s.N = len(fmt.Appendln(nil, 1, fmt.Sprint))", "", nil, []string{"prints a func(a ...any) string as an address"}},
		{"a pointer to a struct as a text", "fmt", "s.N = len(fmt.Sprint(s, &[]int{n}))", "", nil, nil},
		{"a pointer in an error", "fmt", "if err := fmt.Errorf(`%v`, &n); err != nil { s.N = 1 }", "", nil, nil},
		{"the type of a pointer", "fmt", "s.N = len(fmt.Sprintf(`%T`, &n))", "", nil, nil},
		{"a pointer that has a text", `fmt"; import "math/big`, "s.N = len(fmt.Sprint(big.NewInt(1), []*big.Int{}))", "", nil, nil},
		{"a time in a text", `fmt"; import "time`, "s.N = len(fmt.Sprint(time.Time{}, []time.Time{}))", "", nil, nil},
		{"a type within itself", "fmt", "s.N = len(fmt.Sprint(tree{}))", "type tree struct { kids []tree }", nil, nil},
		{"any value as a text", "fmt", "s.N = show(n)", "func show[T any](v T) int { return len(fmt.Sprint(v, any(v))) }", nil, nil},
		{"a pointer that is converted", "unsafe", "s.N = *(*int)(unsafe.Pointer(&n))", "", nil, nil},
		{"a capacity", "", "if l := []int{n}; cap(l) > 1 { s.N = cap([2]int{}) }", "", nil, []string{"takes the capacity of a slice"}},
		{
			"a loop over a map of any type", "", "s.N = first(map[int]int{1: 2})",
			"func first[K comparable, V any, M ~map[K]V](m M) int { n := 0; for range m { n++ }; return n }", nil, []string{"loops over a map"},
		},
		{
			"a loop over a channel of any type", "", "s.N = first(make(chan int))",
			"type channel interface{ ~chan int }\n\nfunc first[C channel](c C) int { for n := range c { return n }; return 0 }", []string{"receives from a channel"}, nil,
		},
		{"a loop over numbers of any type", "", "s.N = first(3)", "func first[N ~int](m N) int { n := 0; for range m { n++ }; return n }", nil, nil},
		{"a loop over a map", "", "for _, n := range map[int]int{} { s.N = n }", "", nil, []string{"loops over a map"}},
		{"keys of a map", "maps", "for n := range maps.Keys(map[int]int{}) { s.N = n }", "", nil, []string{"maps.Keys gives values in the order of a map"}},
		{"sorted keys of a map", `slices"; import "maps`, "for _, n := range slices.Sorted(maps.Keys(map[int]int{})) { s.N = n }", "", nil, nil},
		{
			"sorted values of a map", `slices"; import "maps`,
			"for _, n := range slices.SortedFunc(maps.Values(map[int]int{}), func(a, b int) int { return a - b }) { s.N = n }", "", nil, nil,
		},
		{"a copy of a map", "maps", "s.N = maps.Collect(maps.All(map[int]int{}))[1]", "", nil, nil},
		{
			"keys of a map in any order", `slices"; import "maps`, "s.N = slices.Collect(maps.Keys(map[int]int{}))[0]", "",
			nil, []string{"maps.Keys gives values in the order of a map"},
		},
		{
			"chance that is sorted", `slices"; import . "math/rand/v2`, "s.N = slices.Sorted(chance(Int()))[0]",
			"func chance(int) func(func(int) bool) { return nil }", []string{"rand.Int depends on chance"}, nil,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			imports := ""
			if tt.imports != "" {
				imports = "import \"" + tt.imports + "\"\n"
			}
			source := "package domain\n" + imports + "type State struct{ N int }\nfunc (s *State) Fold(n int) { " + tt.body + " }\n" + tt.rest + "\n"
			result := fold(t, module{"domain": source}, nil)
			if diff := cmp.Diff(tt.refusals, beginnings(result.Refusals, tt.refusals)); diff != "" {
				t.Errorf("refusals (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.warnings, beginnings(result.Warnings, tt.warnings)); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}

// beginnings cuts the messages of findings to the length of what is wanted of them.
func beginnings(findings []fingerprint.Finding, want []string) []string {
	var got []string
	for i, f := range findings {
		message := f.Message
		if i < len(want) && len(message) > len(want[i]) {
			message = message[:len(want[i])]
		}
		got = append(got, message)
	}
	return got
}
