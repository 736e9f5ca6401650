package adopt

import (
	"go/ast"
	"go/types"
)

var (
	// dispatches are what a value that holds a stored name is called.
	dispatches = compile(`(?i)type|name|kind|topic|reason`)
	// decodes are functions that read a payload into a value.
	decodes = compile(`(?i)unmarshal|decode|json|scan|parse|read`)
)

// dispatch reads a switch over stored names that makes a value for each.
func (r *reader) dispatch(sw *ast.SwitchStmt) {
	if sw.Tag == nil {
		return
	}
	tag := types.ExprString(sw.Tag)
	t := r.info.TypeOf(sw.Tag)
	if !dispatches.MatchString(tag) || saysCommand.MatchString(tag) || t == nil || !isString(t) {
		return
	}
	state := r.receiver(r.function)
	if state == nil || !applies.MatchString(exported(r.function.Name.Name)) {
		state = nil
	}
	any := false
	var bodiless []*ast.CaseClause
	for _, clause := range sw.Body.List {
		clause := clause.(*ast.CaseClause)
		if len(clause.List) != 1 {
			continue
		}
		text, ok := r.text(clause.List[0])
		if !ok {
			continue
		}
		c := r.bodyOf(clause.Body)
		if c == nil {
			bodiless = append(bodiless, clause)
			continue
		}
		any = true
		r.named(text, c, "the case at "+r.at(clause.Pos()))
		if state != nil && c != state {
			state.apply(c, "the case at "+r.at(clause.Pos())+" applies it to "+state.String())
		}
	}
	if !any && state == nil {
		return
	}
	for _, clause := range bodiless {
		if text, _ := r.text(clause.List[0]); text != "" {
			r.names(text, clause.List[0], storedName{where: "the case at " + r.at(clause.Pos()), state: state, bodiless: state != nil && !r.usesPayload(clause.Body)})
		}
	}
}

// bodyOf returns the type that a case is for: what it takes out of an event, else what it decodes, there or in a function
// that it calls, else the only one that it makes.
func (r *reader) bodyOf(body []ast.Stmt) *candidate {
	block := &ast.BlockStmt{List: body}
	if c := only(r.decoded(block)); c != nil {
		return c
	}
	var called []*candidate
	r.called(block, func(declared *reader, body *ast.BlockStmt) { called = append(called, declared.decoded(body)...) })
	if c := only(called); c != nil {
		return c
	}
	return only(r.made(block))
}

// called calls f for each function of the sources that code calls.
func (r *reader) called(body *ast.BlockStmt, f func(declared *reader, body *ast.BlockStmt)) {
	ast.Inspect(body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if fn := r.callee(call); fn != nil && fn.Pkg() != nil && r.byPackage[fn.Pkg()] != nil {
			declared := r.byPackage[fn.Pkg()]
			if decl := declared.funcs[fn]; decl != nil && decl.Body != nil {
				f(declared, decl.Body)
			}
		}
		return true
	})
}

// usesPayload reports whether a case, or a function that it calls, takes anything out of the event.
func (r *reader) usesPayload(body []ast.Stmt) bool {
	block := &ast.BlockStmt{List: body}
	uses := readsPayload(block)
	r.called(block, func(_ *reader, body *ast.BlockStmt) { uses = uses || readsPayload(body) })
	return uses
}

func readsPayload(body *ast.BlockStmt) (reads bool) {
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			reads = reads || envelopeFields.MatchString(n.Sel.Name) || decodes.MatchString(n.Sel.Name)
		case *ast.Ident:
			reads = reads || decodes.MatchString(n.Name)
		}
		return !reads
	})
	return reads
}

// only returns the only candidate of several, or nil.
func only(found []*candidate) *candidate {
	if len(found) == 0 {
		return nil
	}
	for _, c := range found[1:] {
		if c != found[0] {
			return nil
		}
	}
	return found[0]
}

// decoded returns the types that code takes out of an event, or decodes a payload into.
func (r *reader) decoded(body *ast.BlockStmt) []*candidate {
	var found []*candidate
	add := func(t types.Type) {
		if c := r.candidateOf(t); c != nil && !contains(found, c) {
			found = append(found, c)
		}
	}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.TypeAssertExpr:
			if n.Type != nil && r.holdsEvent(n.X) {
				add(r.info.TypeOf(n.Type))
			}
		case *ast.CallExpr:
			if !decodes.MatchString(types.ExprString(n.Fun)) {
				return true
			}
			for _, arg := range n.Args {
				if _, isPointer := types.Unalias(r.info.TypeOf(arg)).(*types.Pointer); isPointer {
					add(r.info.TypeOf(arg))
				}
			}
			for _, c := range r.made(n.Fun) { // Decode[T](payload)
				add(c.obj.Type())
			}
		}
		return true
	})
	return found
}
