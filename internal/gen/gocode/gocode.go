// Package gocode turns a model of a domain into Go: one file with what is common to all aggregates, one for each
// aggregate, and their tests. Names follow one rule, which stands in naming.go.
package gocode

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dave/jennifer/jen"
	"golang.org/x/sync/errgroup"

	"github.com/eventmap/eventmap/internal/gen"
	"github.com/eventmap/eventmap/internal/model"
)

// Options say what is generated. The zero value is not ready for use: Filename is required.
type Options struct {
	Filename string // of the common file
	JSON     bool   // also generate what writes and reads payloads without reflection
	Mappers  bool   // export the functions that map one version of one event; without, only tests have them
	Tests    bool   // also generate tests, and the sample payloads that they read
	// Scenarios says to generate, with the tests, a package for those of the domain too.
	Scenarios bool
	// Current returns what the file at a path holds now, with LF line ends, or nil. One that holds what is generated comes
	// back as it is, which saves formatting it. Nil: there are no files yet.
	Current func(path string) []byte
}

// Generate returns the files of the domain's output package, by path. What is wrong with the domain is returned as
// [model.Problems], all of it at once.
func Generate(d *model.Domain, o Options) ([]gen.File, error) {
	if err := checkFilename(o.Filename); err != nil {
		return nil, err
	}
	aggregates, declared, problems := name(d, o.Mappers)
	problems = append(problems, sumProblems(aggregates)...)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	g := generator{output: d.Output, aggregates: aggregates, mappers: o.Mappers, personal: d.HasPersonal(), declared: declared, qualifiers: qualifiers(d, declared)}
	if o.JSON {
		g.plain()
	}
	if o.Tests && o.Scenarios {
		g.scenarios = newScenarios(d, aggregates)
	}
	return g.files(o)
}

func (o *Options) current(path string) []byte {
	if o.Current == nil {
		return nil
	}
	return o.Current(path)
}

// checkFilename refuses names under which the go command would not find the file, or not always.
func checkFilename(name string) error {
	switch {
	case !strings.HasSuffix(name, ".go"), strings.ContainsAny(name, `/\`), strings.HasPrefix(name, "."), strings.HasPrefix(name, "_"):
		return fmt.Errorf("file name %q: want a plain name that ends in .go", name)
	case strings.HasSuffix(name, "_test.go"):
		return fmt.Errorf("file name %q: the go command builds such files for tests only", name)
	case strings.HasSuffix(name, "_events.gen.go"), strings.HasSuffix(name, "_json.gen.go"):
		return fmt.Errorf("file name %q: names that end in _events.gen.go or _json.gen.go are those of aggregates", name)
	}
	return nil
}

// sumProblems refuses what a generated sum cannot hold.
func sumProblems(aggregates []aggregate) model.Problems {
	const limit = 100 // of the terms of a union, in the Go compiler (types2, maxTermCount)
	var problems model.Problems
	for _, a := range aggregates {
		if a.sealed() && len(a.current()) > limit {
			problems = append(problems, model.Problem{Pos: a.Pos, Message: fmt.Sprintf(
				"aggregate %s has %d events, and Go allows %d in a generated sum type; mark an interface that they implement with //eventmap:events %s",
				a.Name, len(a.current()), limit, a.Name)})
		}
	}
	return problems
}

// A generator holds what every file of the output package has in common. It is not changed once made.
type generator struct {
	output     model.Output
	aggregates []aggregate
	mappers    bool              // functions that map one version of one event are part of the package
	personal   bool              // events hold personal data
	qualifiers map[string]string // import path -> name
	declared   map[string]bool   // package-level names
	scenarios  *scenarios        // nil: none
}

// files renders every file, several at a time, those of payloads last.
func (g *generator) files(o Options) ([]gen.File, error) {
	type page func() (gen.File, error)
	rendered := func(path string, file func() *jen.File) page {
		return func() (gen.File, error) { return render(path, file(), o.current(path)) }
	}
	pages := []page{rendered(o.Filename, g.common)}
	for i := range g.aggregates {
		a := &g.aggregates[i]
		pages = append(pages, rendered(a.file(), func() *jen.File { return g.aggregate(a) }))
		if a.plain != nil && len(a.plain.list) > 0 {
			pages = append(pages, func() (gen.File, error) { return g.plainCode(a, o.current(a.plainFile())), nil })
		}
		if o.Tests {
			pages = append(pages, rendered(a.testFile(), func() *jen.File { return g.test(a) }))
		}
	}
	if s := g.scenarios; s != nil {
		pages = append(pages, rendered(s.file(), s.generate))
	}
	files := make([]gen.File, len(pages))
	var samples []gen.File
	var group errgroup.Group
	if o.Tests {
		group.Go(func() error {
			samples = g.payloads()
			return nil
		})
	}
	for i, page := range pages {
		group.Go(func() (err error) {
			files[i], err = page()
			return err
		})
	}
	err := group.Wait()
	return slices.Concat(files, samples), err
}

// aggregate returns the file of one aggregate, in the order a reader wants it: what it is, how it is stored and read,
// how its events are handled, and then the mapping behind that.
func (g *generator) aggregate(a *aggregate) *jen.File {
	f := g.newFile()
	g.sum(f, a)
	g.store(f, a)
	if a.State != nil {
		g.state(f, a)
	}
	g.handler(f, a)
	g.mapping(f, a)
	return f
}

// local returns the identifier of a parameter or variable, one that hides nothing the output package declares.
func (g *generator) local(name string) *jen.Statement { return jen.Id(g.localName(name)) }

func (g *generator) localName(name string) string {
	for g.declared[name] {
		name += "_"
	}
	return name
}

// typeOf returns the named type.
func (g *generator) typeOf(t model.TypeName) *jen.Statement { return jen.Qual(t.Package.Path, t.Name) }

// eventType returns the type by which the event is known to user code.
func (g *generator) eventType(e *event) *jen.Statement {
	if e.Pointer {
		return jen.Op("*").Add(g.typeOf(e.Type))
	}
	return g.typeOf(e.Type)
}

// idType returns the type of the aggregate's stream IDs.
func (g *generator) idType(a *aggregate) *jen.Statement {
	if a.ID.Type.Name == "" {
		return jen.String()
	}
	return g.typeOf(a.ID.Type)
}

// idString returns the stored form of the variable id.
func (g *generator) idString(a *aggregate) *jen.Statement {
	switch a.ID.Form {
	case model.StringKind:
		return jen.String().Parens(g.local("id"))
	case model.StringerID:
		return g.local("id").Dot("String").Call()
	}
	return g.local("id")
}

// runtimeName returns a name of package runtime.
func runtimeName(name string) *jen.Statement { return jen.Qual(runtimePath, name) }

// mappingName returns a name of package runtime/mapping.
func mappingName(name string) *jen.Statement { return jen.Qual(mappingPath, name) }

// doc adds a doc comment. Its text is one paragraph, broken into lines as it comes.
func doc(f *jen.File, format string, args ...any) {
	f.Line()
	for _, line := range wrap(fmt.Sprintf(format, args...)) {
		f.Comment(line)
	}
}

// wrap returns a paragraph as the lines of a comment, none longer than it has to be.
func wrap(text string) []string {
	const width, mark = 120, "//"
	var lines []string
	line, length := append(make([]byte, 0, width), mark...), len(mark) // length is in characters
	for word := range strings.FieldsSeq(text) {
		n := 1 + utf8.RuneCountInString(word)
		if length > len(mark) && length+n > width {
			lines = append(lines, string(line))
			line, length = line[:len(mark)], len(mark)
		}
		line, length = append(append(line, ' '), word...), length+n
	}
	return append(lines, string(line))
}

// lines lays parameters out one to a line, as a reader wants them where there are many.
var lines = jen.Options{Open: "(", Close: ")", Separator: ",", Multi: true}

// params lays parameters out in one line if they are few.
func params(list ...jen.Code) *jen.Statement {
	const few = 3
	if len(list) > few {
		return jen.Custom(lines, list...)
	}
	return jen.Params(list...)
}
