package main

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// modulePath is the module that random domains lie in. Its v7 is no version of an event.
const modulePath = "example.com/v7/domains"

// A domain is some packages of events below one folder, written at random, and the command line for them.
type domain struct {
	Dir     string            // below the module
	Files   map[string]string // by their paths below the module
	Output  string            // the output folder, below the module
	Flags   []string
	Faulty  bool // a line that ends in "// fault" must be refused
	sources map[string]*source
	names   map[string]bool // of aggregates
}

// A source is a package of a domain while it is written.
type source struct {
	dir, name string
	clause    string // comments above the package clause
	imports   map[string]string
	taken     map[string]bool
	body      strings.Builder
}

var (
	// packageNames are folders and packages that mean something else to generated code, or to Go, or to the tool.
	packageNames = []string{
		"order", "store", "time", "json", "runtime", "uuid", "context", "fmt", "errors", "consumer", "testing", "eventtest", "e", "s", "t", "tx", "m",
		"event", "events", "v1", "v2", "any", "string", "error", "len", "nil", "true", "init", "state", "codec", "encoder", "decodeEvent",
		"ToESEvents", "encodeOrderEvent", "ToOrderPlacedV1", "user_account", "pkg", "new", "e1", "e2", "OrderType", "Tx", "iota",
	}
	// folderNames are folders that cannot be packages of their own name.
	folderNames    = []string{"go-order", "type", "func", "user.account", "3d", "v0", "v01", "V1", "range", "Order", "events-v2", "main"}
	aggregateNames = []string{
		"Order", "User", "UserEvent", "Event", "Type", "Store", "New", "T", "E", "Tx", "purchase-order", "order.line", "HTTPServer", "Été", "Any", "Error",
		"String", "ES", "Handler", "Of", "Orders", "OrderStore", "user/account", "x", "type", "Value", "Meta",
	}
	eventNames = []string{
		"Placed", "Paid", "OrderPlaced", "UserRegistered", "Any", "String", "Error", "Nil", "True", "Len", "Type", "Func", "Map", "Range", "Select", "Event",
		"Events", "State", "Value", "E", "T", "Tx", "S", "ID", "Placed2", "PlacedV1", "V1", "Été", "HTTPServed", "Test", "Main", "Init", "OnPlaced", "Order",
		"A1", "Uuid", "Time", "Store", "Handler", "New",
	}
	wireNames = []string{"order.placed", "type", "a-b", "x:y", "user/was.here", "étage", "n_1", "any", "E", "Placed", "v1", "über-Größe"}
	docs      = []string{
		"", "", "// %s happened.\n", "// %s is 100%% sure: it's \"quoted\" and `ticked`. And more.\n", "// # %s\n", "// - %s in a list\n", "//\t%s as code\n",
		"/* %s in a block. */\n", "// Deprecated: %s is old.\n", "// %s\n//\n// [x]: http://example.com\n", "// %s */ and /* on.\n", "// \\%s \\n {{.}} $1 \u202e\n",
	}
	// handWritten is what the output folder may hold already.
	handWritten = []string{
		"var store, ctx, id = 1, 2, 3", "type event struct{}", "func e() {}", "const tx = 1", "type runtime struct{}", "func fmt() {}",
		"var errors = \"\"", "func decodeEvent() {}", "func len() int { return 0 }", "type any interface{ none() }", "func init() {}", "var _ = 1",
		"var settings, opts, codec, encoder, s, err, typed, i int", "func NewOrderStore() {}",
	}
	// handWrittenAlone is what it may hold where it holds no events.
	handWrittenAlone = []string{
		"var nil = 0", "type error struct{}", "type string int", "type E interface{ e() }", "type T int", "type Tx any", "type Order struct{}",
		"func (Order) String() (s string) { return }\n\ntype Order struct{}",
	}
)

// drawDomain writes a domain at random into the folder.
func drawDomain(t *rapid.T, dir string) *domain {
	d := &domain{Dir: dir, Files: map[string]string{}, sources: map[string]*source{}, names: map[string]bool{}}
	d.Faulty = chance(t, 6)
	folders := rapid.SliceOfNDistinct(rapid.SampledFrom(slices.Concat(packageNames, folderNames)), 1, 3, strings.ToLower).Draw(t, "folders")
	for i, folder := range folders {
		a := &domainAggregate{domain: d, index: i, faulty: d.Faulty && i == 0}
		a.write(t, path.Join(dir, folder))
	}
	d.Output = path.Join(dir, rapid.SampledFrom([]string{"mapped", "my-store", "v9", "zz/events", "runtime_", "domain.gen", "zz/internal"}).Draw(t, "output"))
	switch rapid.IntRange(0, 3).Draw(t, "place") {
	case 0:
		d.Output = "out/" + d.Output
	case 1:
		d.Output = path.Join(dir, folders[0])
		if main := d.sources[d.Output]; main == nil || d.sources[path.Join(d.Output, "state")] != nil {
			d.Output = path.Join(dir, "beside")
		}
	}
	if chance(t, 3) {
		name, choice := "mapping", slices.Concat(handWritten, handWrittenAlone)
		if into := d.sources[d.Output]; into != nil {
			name, choice = into.name, handWritten
		}
		declared := rapid.SliceOfNDistinct(rapid.SampledFrom(choice), 1, 2, rapid.ID).Draw(t, "hand-written")
		d.Files[path.Join(d.Output, "hand.go")] = "package " + name + "\n\n" + strings.Join(declared, "\n\n") + "\n"
		d.Flags = append(d.Flags, "--package="+name)
	} else if into := d.sources[d.Output]; into != nil {
		d.Flags = append(d.Flags, "--package="+into.name)
	}
	if chance(t, 5) {
		d.Flags = append(d.Flags, "--filename=mapping.go")
	}
	if chance(t, 4) {
		d.Flags = append(d.Flags, "--mappers=false")
	}
	for _, s := range d.sources {
		d.Files[path.Join(s.dir, "domain.go")] = s.String()
	}
	return d
}

// source returns the package in the folder, which it begins if there is none.
func (d *domain) source(dir, name string) *source {
	if d.sources[dir] == nil {
		d.sources[dir] = &source{dir: dir, name: name, imports: map[string]string{}, taken: map[string]bool{}}
	}
	return d.sources[dir]
}

// packageName returns a name for the package in a folder: the folder's own where Go allows it, or another.
func packageName(t *rapid.T, folder string) string {
	if !slices.Contains(packageNames, folder) || chance(t, 5) {
		return rapid.SampledFrom(append(packageNames, "größe", "gen")).Draw(t, "package")
	}
	return folder
}

// declare returns the first of name, name_ and so on that the package does not declare yet.
func (s *source) declare(name string) string {
	for s.taken[name] {
		name += "_"
	}
	s.taken[name] = true
	return name
}

// use imports a package and returns what comes before its names: nothing within the package itself.
func (s *source) use(path string) string {
	if path == modulePath+"/"+s.dir {
		return ""
	}
	if s.imports[path] == "" {
		s.imports[path] = fmt.Sprintf("import%d", len(s.imports))
	}
	return s.imports[path] + "."
}

func (s *source) printf(format string, args ...any) { fmt.Fprintf(&s.body, format, args...) }

// String returns the package as source code.
func (s *source) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%spackage %s\n\n", s.clause, s.name)
	for _, imported := range slices.Sorted(maps.Keys(s.imports)) {
		fmt.Fprintf(&b, "import %s %q\n", s.imports[imported], imported)
	}
	b.WriteString("\n" + s.body.String())
	return b.String()
}
