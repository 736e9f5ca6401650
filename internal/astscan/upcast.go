package astscan

import (
	"fmt"
	"go/types"
	"strings"

	"github.com/eventmap/eventmap/internal/model"
)

// upcasts are the marked functions, by the event that each turns into a later version of it.
type upcasts map[*event]*model.Upcast

// findUpcasts finds the marked functions. The versions rise along every chain, so no chain is a circle.
func (s *scan) findUpcasts(decls *declarations, events *events) upcasts {
	found := upcasts{}
	for _, src := range decls.sources {
		for _, fn := range src.upcasts {
			if s.brokenWithin(fn.syntax.Pos(), fn.syntax.Type.End()) {
				continue
			}
			if lifted, up := s.readUpcast(decls, fn, events); up != nil {
				for _, from := range lifted {
					s.addUpcast(found, fn, from, up)
				}
			}
		}
	}
	return found
}

// readUpcast reads what an upcaster does from its signature, and to which events: of those that its parameter is, the ones
// of aggregates that its result is an event of, too.
func (s *scan) readUpcast(decls *declarations, fn *funcDecl, events *events) (lifted shared, up *model.Upcast) {
	sig := fn.obj.Signature()
	fail := func(format string, args ...any) (shared, *model.Upcast) {
		s.problem(fn.obj.Pos(), fn.String()+" "+format, args...)
		return nil, nil
	}
	if sig.TypeParams().Len() > 0 {
		return fail("is generic; an upcaster is a plain function from one version of an event to the next")
	}
	results := sig.Results()
	returnsError := results.Len() == 2 && isError(results.At(1).Type())
	if sig.Params().Len() != 1 || sig.Variadic() || results.Len() != 1 && !returnsError {
		return fail("is no upcaster: it takes one event and returns a later version of it, and perhaps an error, such as func(v1.Placed) (v2.Placed, error)")
	}
	takes, takesPointer := events.of(sig.Params().At(0).Type())
	gives, givesPointer := events.of(results.At(0).Type())
	q := qualifier(fn.src.Types)
	switch {
	case takes == nil:
		return fail("takes %s, which is no event%s", types.TypeString(sig.Params().At(0).Type(), q), events.remedy(decls, sig.Params().At(0).Type()))
	case gives == nil:
		return fail("returns %s, which is no event%s", types.TypeString(results.At(0).Type(), q), events.remedy(decls, results.At(0).Type()))
	}
	for _, e := range takes {
		if gives.in(e.naming.name) != nil {
			lifted = append(lifted, e)
		}
	}
	from, to := takes[0], gives[0] // of another aggregate they are the same
	switch {
	case len(lifted) == 0:
		return fail("turns an event of %s (by %s) into one of %s (by %s); both must belong to one aggregate: mark one of the types //eventmap:event aggregate=...", takes.aggregates(), from.naming.why, gives.aggregates(), to.naming.why)
	case from.model.Name != to.model.Name:
		return fail("turns event %s into event %s; both must be versions of one event: %s", from.model.Name, to.model.Name, asVersions(from, to))
	case from.decl == to.decl:
		return fail("takes and returns %v; an upcaster turns a version of an event into a later one", from.decl)
	case from.model.Version > to.model.Version:
		return fail("turns %v, version %d, into %v, version %d; it must lead to a later version: turn it around, or mark the later type //eventmap:event version=%d", from.decl, from.model.Version, to.decl, to.model.Version, from.model.Version+1)
	}
	return lifted, &model.Upcast{
		Func:         model.TypeName{Package: fn.src.name(), Name: fn.obj.Name()},
		To:           to.model.Version,
		TakesPointer: takesPointer,
		GivesPointer: givesPointer,
		ReturnsError: returnsError,
		Pos:          s.Pos(fn.obj.Pos()),
	}
}

// remedy says why a type is no event, where the convention knows, and how it becomes one, if it can.
func (es *events) remedy(decls *declarations, t types.Type) string {
	if !decls.isOwnStruct(t) {
		return ""
	}
	if why := es.left[namedOf(t).Obj()]; why != "" {
		return ": " + why + "; if it is one, mark it //eventmap:event"
	}
	return "; mark it //eventmap:event"
}

// addUpcast adds the upcaster of an event, if it has none yet.
func (s *scan) addUpcast(found upcasts, fn *funcDecl, from *event, up *model.Upcast) {
	if first := found[from]; first != nil {
		s.problem(fn.obj.Pos(), "%v and %s (%v) both turn %v into a later version; keep one of them marked", fn, first.Func.Name, first.Pos, from.decl)
		return
	}
	if !fn.obj.Exported() && !s.mayName(fn.src.Path) {
		s.problem(fn.obj.Pos(), "%v is not exported, so the generated code cannot call it; export it", fn)
		return
	}
	found[from] = up
	s.note(fn.obj.Pos(), "%v turns %s of %s from version %d into version %d", fn, from.model.Name, from.naming.name, from.model.Version, up.To)
}

// asVersions says how two events become versions of one: under the name of the earlier, which the log may have, unless that name
// says itself that it is the earlier version of the later.
func asVersions(from, to *event) string {
	version := fmt.Sprint(" version=", max(to.model.Version, from.model.Version+1))
	if bare := strings.TrimRight(from.model.Name, "0123456789"); bare == to.model.Name+"V" {
		return fmt.Sprintf("mark %v //eventmap:event name=%s, and %v //eventmap:event%s", from.decl, quoted(to.model.Name), to.decl, version)
	}
	return fmt.Sprintf("mark %v //eventmap:event name=%s%s", to.decl, quoted(from.model.Name), version)
}

// isError reports whether t is the predeclared error.
func isError(t types.Type) bool {
	return types.Identical(t, types.Universe.Lookup("error").Type())
}
