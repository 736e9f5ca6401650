package gocode

import (
	"cmp"
	"go/token"
	"go/types"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/eventmap/eventmap/internal/model"
)

// The packages that generated code imports beside the domain's.
const (
	contextPath   = "context"
	errorsPath    = "errors"
	fmtPath       = "fmt"
	testingPath   = "testing"
	runtimePath   = "github.com/eventmap/eventmap/runtime"
	consumerPath  = runtimePath + "/consumer"
	eventtestPath = runtimePath + "/eventtest"
	inspectPath   = runtimePath + "/inspect"
	mappingPath   = runtimePath + "/mapping"
	plainPath     = runtimePath + "/plainjson"
	privacyPath   = runtimePath + "/privacy"
)

var ours = []model.Package{
	{Path: contextPath, Name: "context"},
	{Path: errorsPath, Name: "errors"},
	{Path: fmtPath, Name: "fmt"},
	{Path: testingPath, Name: "testing"},
	{Path: runtimePath, Name: "runtime"},
	{Path: consumerPath, Name: "consumer"},
	{Path: eventtestPath, Name: "eventtest"},
	{Path: mappingPath, Name: "mapping"},
	{Path: plainPath, Name: "plainjson"},
	{Path: inspectPath, Name: "inspect"},
}

// locals are the names that generated functions use for parameters and variables; no import may hide behind one.
var locals = []string{
	"E", "T", "Tx", "aggregateID", "aggregateType", "attempt", "codec", "conflict", "ctx", "decide", "e", "encoder", "err",
	"event", "events", "expected", "f", "h", "handle", "i", "id", "m", "mapped", "name", "next", "ok", "opts", "r", "result", "s", "seen",
	"settings", "state", "store", "stream", "t", "tx", "typed", "v", "version", "w", "window", "wrapped",
}

// personalLocals are those of functions that take keys for personal data.
var personalLocals = []string{"appended", "concealed", "keys", "opened", "personal"}

// versionName matches the names of packages that are called after a version.
var versionName = regexp.MustCompile(`^v\d+$`)

// qualifiers gives every package that generated code imports the name it is used by, the same in every file. Our own
// come first and keep theirs; a domain package keeps its own unless that means something else here already, or tells
// nothing as v1 does. Then it is preceded by the folders above it, as many as it takes: v1 becomes orderv1. Code in
// another package than the output's has more packages of ours.
func qualifiers(d *model.Domain, declared map[string]bool, more ...model.Package) map[string]string {
	taken := maps.Clone(declared)
	for _, local := range locals {
		taken[local] = true
	}
	if d.HasPersonal() {
		more = append(more, model.Package{Path: privacyPath, Name: "privacy"})
		for _, local := range personalLocals {
			taken[local] = true
		}
	}
	for _, a := range d.Aggregates {
		for _, e := range a.Events {
			taken["e"+strconv.Itoa(e.Version)] = true // the steps of an upcast
		}
	}
	for _, predeclared := range types.Universe.Names() {
		taken[predeclared] = true
	}
	taken["init"] = true // no import can be called that
	chosen := map[string]string{}
	choose := func(p model.Package, clash bool) {
		name := p.Name
		for _, folder := range foldersAbove(p) {
			if !clash && !taken[name] && !token.IsKeyword(name) {
				break
			}
			name, clash = folder+name, false
		}
		for n := 2; taken[name] || token.IsKeyword(name); n++ {
			name = p.Name + strconv.Itoa(n) // nothing in the path tells it from another
		}
		taken[name] = true
		chosen[p.Path] = name
	}
	for _, p := range slices.Concat(ours, more) {
		choose(p, false)
	}
	packages := domainPackages(d)
	names := map[string]int{}
	for _, p := range packages {
		names[p.Name]++
	}
	for _, p := range packages {
		if _, done := chosen[p.Path]; !done {
			choose(p, names[p.Name] > 1 || versionName.MatchString(p.Name))
		}
	}
	return chosen
}

// foldersAbove returns the elements of the package's path as parts of an identifier, from the innermost folder that is
// not named like the package outwards. A folder named events tells nothing and comes last.
func foldersAbove(p model.Package) []string {
	elements := strings.Split(p.Path, "/")
	slices.Reverse(elements)
	folders, last := make([]string, 0, len(elements)), []string(nil)
	for i, element := range elements {
		ident := strings.ToLower(strings.Map(func(r rune) rune {
			if r == '_' || !(token.IsIdentifier("x" + string(r))) {
				return -1
			}
			return r
		}, element))
		if ident == "" || i == 0 && ident == strings.ToLower(p.Name) {
			continue
		}
		if ident == "events" {
			last = append(last, ident)
			continue
		}
		folders = append(folders, strings.TrimLeft(ident, "0123456789"))
	}
	return append(folders, last...)
}

// domainPackages returns the packages of the domain that generated code may refer to, by path.
func domainPackages(d *model.Domain) []model.Package {
	paths := map[string]model.Package{}
	add := func(t model.TypeName) {
		if p := t.Package; p.Path != "" && p.Path != d.Output.Path {
			paths[p.Path] = p
		}
	}
	for _, a := range d.Aggregates {
		if a.Sum != nil {
			add(a.Sum.Type)
		}
		if a.State != nil {
			add(a.State.Type)
		}
		add(a.ID.Type)
		add(a.ID.Parser)
		for _, e := range a.Events {
			add(e.Type)
			for _, value := range values(e.Payload) {
				add(value)
			}
			for _, object := range objects(e.Payload) {
				add(object)
			}
			if e.Upcast != nil {
				add(e.Upcast.Func)
			}
		}
	}
	return slices.SortedFunc(maps.Values(paths), func(a, b model.Package) int { return cmp.Compare(a.Path, b.Path) })
}
