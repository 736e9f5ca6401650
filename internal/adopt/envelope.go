package adopt

import (
	"cmp"
	"go/ast"
	"go/constant"
	"go/types"
	"strings"
)

var (
	// envelopes are what structs are called that hold a payload beside its type, stream and version.
	envelopes = compile(`(?i)event|envelope|record`)
	// envelopeFields are what fields and methods are called that hold the payload of an event of any type.
	envelopeFields = compile(`(?i)^(event)?(data|payload|body|message|event|rawdata)$`)
	// typeFields are what fields are called that say the type of that payload.
	typeFields = compile(`(?i)^(event|message)?(type|name|kind|reason)$`)
	// marshals are functions that turn an event into a payload.
	marshals = compile(`(?i)marshal|encode|json|serialize`)
)

// isEnvelope reports whether the name of a type says that it is an envelope of events.
func isEnvelope(t types.Type) bool {
	named := pointee(t)
	if named == nil {
		return false
	}
	pkg := named.Obj().Pkg()
	return envelopes.MatchString(named.Obj().Name()) && (pkg == nil || !strings.HasPrefix(pkg.Name(), "command"))
}

// envelope returns the field that holds the payload of any event, if a struct has one beside one that says the type, or of
// an interface for events.
func envelope(st *types.Struct) (payload string) {
	if st == nil {
		return ""
	}
	hasType := false
	for field := range st.Fields() {
		switch {
		case typeFields.MatchString(field.Name()) && isString(field.Type()):
			hasType = true
		case envelopeFields.MatchString(field.Name()) && eventInterfaces.MatchString(interfaceName(field.Type())):
			hasType, payload = true, field.Name()
		case envelopeFields.MatchString(field.Name()) && (holdsAny(field.Type()) || isBytes(field.Type())):
			payload = field.Name()
		}
	}
	if !hasType {
		return ""
	}
	return payload
}

// isBytes reports whether a type is a slice of bytes, as json.RawMessage is.
func isBytes(t types.Type) bool {
	slice, ok := t.Underlying().(*types.Slice)
	if !ok {
		return false
	}
	b, ok := slice.Elem().Underlying().(*types.Basic)
	return ok && b.Kind() == types.Byte
}

// envelopeLiteral reads an envelope that is made with the payload of one event, and what else it says of that.
func (r *reader) envelopeLiteral(lit *ast.CompositeLit) {
	t := r.info.TypeOf(lit)
	if t == nil || !isEnvelope(t) {
		return
	}
	st, ok := t.Underlying().(*types.Struct)
	if !ok || envelope(st) == "" {
		return
	}
	values := map[string]ast.Expr{}
	var event *candidate
	for _, element := range lit.Elts {
		pair, ok := element.(*ast.KeyValueExpr)
		if !ok {
			return
		}
		if key, ok := pair.Key.(*ast.Ident); ok {
			values[key.Name] = pair.Value
			if envelopeFields.MatchString(key.Name) {
				event = r.payloadOf(pair.Value)
			}
		}
	}
	if event == nil {
		return
	}
	where := "the envelope at " + r.at(lit.Pos())
	event.because("%s holds it", where)
	for key, value := range values {
		text, isText := r.text(value)
		switch {
		case isText && typeFields.MatchString(key):
			r.named(text, event, where)
		case isText && namesAggregate.MatchString(key):
			r.aggregates.types[event.obj] = text
		case versionsEvent.MatchString(key):
			if v := r.info.Types[value].Value; v != nil && v.Kind() == constant.Int {
				if n, ok := constant.Int64Val(v); ok && n > 0 {
					event.versions[int(n)] = where
				}
			}
		}
	}
}

// payloadOf returns the event that an expression holds or was marshalled from, or nil.
func (r *reader) payloadOf(e ast.Expr) *candidate {
	if c := cmp.Or(r.candidateOf(r.info.TypeOf(e)), r.marshalled(e)); c != nil {
		return c
	}
	id, ok := ast.Unparen(e).(*ast.Ident)
	if !ok || r.function == nil || r.function.Body == nil {
		return nil
	}
	var found []*candidate
	ast.Inspect(r.function.Body, func(n ast.Node) bool {
		assign, ok := n.(*ast.AssignStmt)
		if !ok || len(assign.Rhs) != 1 {
			return true
		}
		to, ok := assign.Lhs[0].(*ast.Ident)
		if ok && r.info.ObjectOf(to) == r.info.ObjectOf(id) {
			if c := r.marshalled(assign.Rhs[0]); c != nil {
				found = append(found, c)
			}
		}
		return true
	})
	return only(found)
}

// marshalled returns the event that is marshalled within an expression, or nil.
func (r *reader) marshalled(e ast.Expr) *candidate {
	var found []*candidate
	ast.Inspect(e, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || !marshals.MatchString(types.ExprString(call.Fun)) {
			return true
		}
		for _, arg := range call.Args {
			if c := r.candidateOf(r.info.TypeOf(arg)); c != nil {
				found = append(found, c)
			}
		}
		return true
	})
	return only(found)
}
