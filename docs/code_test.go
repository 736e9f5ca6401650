package docs_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
)

// imported are the packages that code on the pages calls, by the names that it gives them. examples/shop has all of them.
var imported = map[string]string{
	"context": "context", "errors": "errors", "fmt": "fmt", "http": "net/http", "json": "encoding/json", "os": "os",
	"slog": "log/slog", "sql": "database/sql", "testing": "testing", "time": "time", "log": "log", "signal": "os/signal",
	"syscall": "syscall",
	"uuid":    "github.com/google/uuid", "pgx": "github.com/jackc/pgx/v5", "pgxpool": "github.com/jackc/pgx/v5/pgxpool",
	"runtime": module + "/runtime", "consumer": module + "/runtime/consumer", "console": module + "/runtime/console",
	"eventtest": module + "/runtime/eventtest", "postgres": module + "/runtime/postgres", "privacy": module + "/runtime/privacy",
	"relay": module + "/runtime/relay", "sqlite": module + "/runtime/sqlite", "storetest": module + "/runtime/storetest",
	"order": module + "/examples/shop/domain/order", "events": module + "/examples/shop/domain/user/events/v1",
	"shopstore":     module + "/examples/shop/shopstore",
	"shopstoretest": module + "/examples/shop/shopstore/shopstoretest",
}

// known are variables that the code on the pages takes for granted.
const known = `
var (
	ctx     context.Context
	pool    *pgxpool.Pool
	standby *pgxpool.Pool
	sqlDB   *sql.DB
	tx      pgx.Tx
	mux     *http.ServeMux
	t       *testing.T
	runner  *consumer.Runner[pgx.Tx]
	keys    *privacy.Keys[pgx.Tx]
)
`

// TestPages_code type-checks the Go code on the pages: what it calls of our packages is there and takes what it is given. A
// fragment may leave out what it takes for granted, so a name of its own that nothing declares is no error; the check of
// what depends on it is left out.
func TestPages_code(t *testing.T) {
	t.Parallel()
	known := importable(t)
	for _, page := range pages(t, "*.md", "migrations/*.md") {
		// A test runs these.
		if slices.Contains([]string{"quickstart.md", "service.md", "adoption.md"}, page) {
			continue
		}
		text := read(t, page)
		for _, m := range goBlock.FindAllStringSubmatchIndex(text, -1) {
			line := 1 + strings.Count(text[:m[2]], "\n")
			if err := known.check(text[m[2]:m[3]]); err != nil {
				t.Errorf("%s:%d: %v", page, line, err)
			}
		}
	}
}

var goBlock = regexp.MustCompile("(?ms)^```go\n(.*?)^```$")

// A library holds packages by their paths.
type library map[string]*types.Package

// importable loads what the code on the pages imports.
func importable(t *testing.T) library {
	t.Helper()
	dir, err := filepath.Abs("../examples/shop")
	if err != nil {
		t.Fatal(err)
	}
	paths := slices.Sorted(maps.Values(imported))
	loaded, err := packages.Load(&packages.Config{Mode: packages.NeedName | packages.NeedTypes | packages.NeedImports, Dir: dir, Env: append(os.Environ(), "GOWORK=off")}, paths...)
	if err != nil {
		t.Fatal(err)
	}
	all := library{}
	for _, p := range loaded {
		for _, e := range p.Errors {
			t.Fatal(e)
		}
		all[p.PkgPath] = p.Types
	}
	return all
}

// Import implements [types.Importer].
func (l library) Import(path string) (*types.Package, error) {
	if p := l[path]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("the test does not know %s", path)
}

var (
	ellipsis = regexp.MustCompile(`\{ ?\.\.\. ?\}`)                   // a body that is left out
	dots     = regexp.MustCompile(`(?m)^\s*\.\.\.$`)                  // lines that are
	clause   = regexp.MustCompile(`(?m)^(package \w+.*|import ".*)$`) // which the check writes itself
	// forgiven is what comes of names that the page takes for granted, and of ways that stand side by side.
	forgiven = regexp.MustCompile(`^undefined: \w+$|declared and not used|imported and not used|no new variables on left side|` +
		`missing return|is not used|redeclared in this block|other declaration of|cannot use (postgres|sqlite)\.New\w+\(.*in assignment`)
)

// check returns what is wrong with a piece of code: declarations, statements, both, or the fields of a struct.
func (l library) check(code string) error {
	code = clause.ReplaceAllString(dots.ReplaceAllString(ellipsis.ReplaceAllString(code, "{}"), ""), "")
	fset := token.NewFileSet()
	file, err := parseAny(fset, imports(code)+known+"\n//line code:1\n", code)
	if err != nil {
		return err
	}
	var first error
	config := types.Config{Importer: l, Error: func(err error) {
		if at, ok := errors.AsType[types.Error](err); first == nil && ok && !forgiven.MatchString(at.Msg) {
			first = err
		}
	}}
	_, _ = config.Check("page", fset, []*ast.File{file}, nil) // its errors were told
	return first
}

// imports returns the head of a file of the code.
func imports(code string) string {
	head := "package page\n"
	for _, name := range slices.Sorted(maps.Keys(imported)) {
		if strings.Contains(code+known, name+".") && !regexp.MustCompile(`\b`+name+`(, \w+)? :=`).MatchString(code) {
			head += fmt.Sprintf("import %s %q\n", name, imported[name])
		}
	}
	return head
}

// parseAny parses code as what it is, or returns the error of the form that comes closest.
func parseAny(fset *token.FileSet, head, code string) (*ast.File, error) {
	const statements = "func _() error {\n%s\n}"
	var declared, stated string
	for paragraph := range strings.SplitSeq(code, "\n\n") {
		if _, err := parser.ParseFile(token.NewFileSet(), "", "package page\n"+paragraph, 0); err == nil {
			declared += paragraph + "\n"
		} else {
			stated += paragraph + "\n"
		}
	}
	var first error
	for _, form := range []string{fmt.Sprintf(statements, code), code, "type _ struct {\n" + code + "\n}", declared + fmt.Sprintf(statements, stated)} {
		file, err := parser.ParseFile(fset, "", head+form, parser.SkipObjectResolution)
		if err == nil {
			return file, nil
		}
		if first == nil {
			first = fmt.Errorf("this is no Go: %w", err)
		}
	}
	return nil, first
}
