package fingerprint

import (
	"go/ast"
	"go/constant"
	"go/types"
	"strings"
)

// printers are the functions of package fmt that make a text, and where what they print begins. The argument before it is the
// format, if their names end in f.
var printers = map[string]int{
	"Append": 1, "Appendf": 2, "Appendln": 1, "Errorf": 1, "Fprint": 1, "Fprintf": 2, "Fprintln": 1, "Sprint": 0, "Sprintf": 1, "Sprintln": 0,
}

// checkPrinted refuses the verb %p, and warns of values of which package fmt prints an address. What an error says is mostly not
// kept.
func (v visitor) checkPrinted(callee *types.Func, call *ast.CallExpr) {
	first, ok := printers[callee.Name()]
	if !ok || callee.Pkg().Path() != "fmt" || len(call.Args) < first || call.Ellipsis.IsValid() {
		return
	}
	format := ""
	if strings.HasSuffix(callee.Name(), "f") {
		if value := v.in.Info.Types[call.Args[first-1]].Value; value != nil && value.Kind() == constant.String {
			format = constant.StringVal(value)
		}
	}
	switch {
	case hasVerb(format, 'p'):
		v.refuse(call.Pos(), "prints an address by %%p, which differs from run to run; what the events come to must depend on the events only")
		return
	case callee.Name() == "Errorf", hasVerb(format, 'T'):
		return
	}
	for _, arg := range call.Args[first:] {
		t := v.in.Info.TypeOf(arg)
		if t == nil {
			continue // it does not compile
		}
		if pointer, ok := t.Underlying().(*types.Pointer); ok && !hasText(t) && isFollowed(pointer) {
			t = pointer.Elem()
		}
		if address := addressIn(t, map[types.Type]bool{}); address != nil {
			v.warn(arg.Pos(), "prints a %s as an address, which differs from run to run; print what it leads to",
				types.TypeString(address, (*types.Package).Name))
		}
	}
}

// hasVerb reports whether a format has a verb.
func hasVerb(format string, verb byte) bool {
	for {
		_, after, found := strings.Cut(format, "%")
		if !found {
			return false
		}
		format = strings.TrimLeft(after, "+-# 0123456789.*[]")
		if format != "" {
			if format[0] == verb {
				return true
			}
			format = format[1:]
		}
	}
}

// addressIn returns the type of what package fmt prints as an address within a value of type t, or nil: see printValue in
// fmt/print.go.
func addressIn(t types.Type, met map[types.Type]bool) types.Type {
	if met[t] || hasText(t) {
		return nil
	}
	met[t] = true
	switch u := t.Underlying().(type) {
	case *types.Pointer, *types.Chan, *types.Signature:
		return t
	case *types.Slice:
		return addressIn(u.Elem(), met)
	case *types.Array:
		return addressIn(u.Elem(), met)
	case *types.Map:
		if key := addressIn(u.Key(), met); key != nil {
			return key
		}
		return addressIn(u.Elem(), met)
	case *types.Struct:
		for field := range u.Fields() {
			if address := addressIn(field.Type(), met); address != nil {
				return address
			}
		}
	}
	return nil
}

// isFollowed reports whether package fmt prints what a pointer leads to, if it is not within another value.
func isFollowed(pointer *types.Pointer) bool {
	switch pointer.Elem().Underlying().(type) {
	case *types.Array, *types.Slice, *types.Struct, *types.Map:
		return true
	}
	return false
}

// hasText reports whether package fmt asks a value of the type for its text.
func hasText(t types.Type) bool {
	for _, name := range []string{"Error", "String", "Format"} {
		if object, _, _ := types.LookupFieldOrMethod(t, false, nil, name); object != nil {
			if _, ok := object.(*types.Func); ok {
				return true
			}
		}
	}
	return false
}
