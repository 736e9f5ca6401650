package gocode

import (
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/dave/jennifer/jen"

	"github.com/eventmap/eventmap/internal/model"
)

// ScenarioFile is the name of the file of scenarios. It lies in a package of its own below the output package, so that
// programs which use that do not link package testing, and tests of any package can import it.
const ScenarioFile = "scenarios.gen.go"

// scenarios generates the package for the tests of a domain.
type scenarios struct {
	generator
	tested     model.Package // the output package
	aggregates []*aggregate  // with a state that others can name
}

// runtimeTests are the packages for tests that the runtime has.
var runtimeTests = []string{"eventtest", "storetest"}

// newScenarios returns what generates the scenarios of a domain, or nil if there is none to generate: no aggregate has a
// state, or the output package is a program, which cannot be imported.
func newScenarios(d *model.Domain, all []aggregate) *scenarios {
	name := d.Output.Name + "test"
	if slices.Contains(runtimeTests, name) {
		name = d.Output.Name + "scenario" // not one of two packages of one name
	}
	if strings.ContainsFunc(name, func(r rune) bool { return r > unicode.MaxASCII }) {
		name = "scenariotest" // an import path has no other letters
	}
	s := scenarios{tested: d.Output.Package}
	declared := map[string]bool{}
	for i := range all {
		if a := &all[i]; a.State != nil && isExported(a.State.Type.Name) {
			s.aggregates = append(s.aggregates, a)
			declared[a.scenario()] = true
		}
	}
	if len(s.aggregates) == 0 || d.Output.Name == "main" {
		return nil
	}
	s.generator = generator{
		output:     model.Output{Package: model.Package{Path: path.Join(d.Output.Path, name), Name: name}},
		declared:   declared,
		personal:   d.HasPersonal(),
		qualifiers: qualifiers(d, declared, d.Output.Package),
	}
	return &s
}

// file returns the path of the file, relative to the output folder.
func (s *scenarios) file() string { return s.output.Name + "/" + ScenarioFile }

func (s *scenarios) generate() *jen.File {
	f := s.newFile()
	f.PackageComment("// Package " + s.output.Name + " tests what the aggregates of package " + s.tested.Name + " decide, without a database.")
	for _, a := range s.aggregates {
		s.scenario(f, a)
	}
	return f
}

// scenario generates the function that begins a scenario of one aggregate.
func (s *scenarios) scenario(f *jen.File, a *aggregate) {
	of := func(name string) *jen.Statement { return jen.Qual(s.tested.Path, name) }
	made, tx := "NewScenario", []jen.Code(nil)
	if s.personal {
		made, tx = "NewPersonalScenario", []jen.Code{noTx()}
	}
	scenario := jen.Qual(eventtestPath, made).Custom(lines,
		s.local("t"), of(a.typeConst()), of("ToESEvents").Types(append([]jen.Code{jen.Any()}, tx...)...),
		of("FromESEvents").Types(append([]jen.Code{of(a.sum())}, tx...)...),
		of(a.fold()), s.local("opts").Op("..."))
	if a.hasSnapshots() {
		scenario.Dot("FromSnapshots").Call()
	}
	doc(f, "%s begins a test of what %s decides: given these events, when it is asked, then those events.", a.scenario(), a.Name)
	f.Func().Id(a.scenario()).Params(
		s.local("t").Qual(testingPath, "TB"), s.local("opts").Op("...").Add(runtimeName("Option")),
	).Qual(eventtestPath, "Scenario").Types(s.typeOf(a.State.Type), of(a.sum())).Block(
		jen.Return(scenario),
	)
}
