package astscan

import (
	"slices"
	"strings"
)

// checkVisibility reports what the output package could not name or import: types that are not exported, packages in an
// internal folder elsewhere, and packages that import the output package themselves.
func (s *scan) checkVisibility(events *events, us sums, sts states) {
	checked := map[*source]bool{}
	check := func(d *typeDecl) {
		if s.mayName(d.src.Path) {
			return
		}
		if !d.obj.Exported() {
			remedy := "export it"
			if d.marked("event") == nil && d.marked("events") == nil && d.marked("aggregate") == nil {
				remedy += ", or mark it //eventmap:ignore if it is no event"
			}
			s.problem(d.obj.Pos(), "%v is not exported, so the generated code in %s cannot name it; %s", d, s.output.Path, remedy)
		}
		if !checked[d.src] {
			checked[d.src] = true
			s.checkImport(d)
		}
	}
	for _, e := range events.all {
		check(e.decl)
	}
	for _, u := range us {
		check(u.decl)
	}
	for _, st := range sts {
		check(st.decl)
	}
	for src := range checked {
		s.problems = append(s.problems, s.build.Missing(src.Package)...)
	}
}

// mayName reports whether the generated code, if there is any, may use what a package does not export.
func (s *scan) mayName(path string) bool { return s.options.Output == "" || path == s.output.Path }

// checkImport reports a package that the output package cannot import, at the first type it is needed for.
func (s *scan) checkImport(d *typeDecl) {
	from := d.src.Path
	if !mayImport(s.output.Path, from) {
		parent, _ := cutInternal(from)
		s.problem(d.obj.Pos(), "%v cannot be used by the generated code: %s may not import %s, for only packages below %s may; choose an output folder there, or move the type out of internal/", d, s.output.Path, from, parent)
	}
	if at, through := s.ImportOf(d.src.Package, s.output.Path); at.IsValid() {
		if through != "" {
			through = " through " + through
		}
		s.problem(at, "package %s holds events and imports %s%s, the package that is generated for them: Go allows no import cycle; move what uses generated code to another package, or generate into this one", from, s.output.Path, through)
	}
}

// mayImport reports whether Go lets package from import package path, as far as internal folders go: see
// https://go.dev/s/go14internal. The last such folder asks the most.
func mayImport(from, path string) bool {
	parent, internal := cutInternal(path)
	return !internal || parent != "" && (from == parent || strings.HasPrefix(from, parent+"/"))
}

// cutInternal returns what stands before the last internal folder of a path. Before that of the standard library
// stands nothing.
func cutInternal(path string) (parent string, ok bool) {
	elements := strings.Split(path, "/")
	for i, element := range slices.Backward(elements) {
		if element == "internal" {
			return strings.Join(elements[:i], "/"), true
		}
	}
	return "", false
}
