package fingerprint

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"sync"
)

// Code is source with an index of what it declares, so that any number of fingerprints cost one look at all of it. Several
// goroutines may take fingerprints of it at a time.
type Code struct {
	source   Source
	packages map[*types.Package]*Package
	declared map[types.Object]*declaration
	within   map[*Package][]*declaration
	methods  map[string][]*types.Func // by name, of every type whose source was read
	// changes tells which variables of packages are changed. Few folds have to know.
	changes func() *changes
	// callbacks has what callbacksOf found out, by package.
	callbacks sync.Map
}

// A declaration is one that source declares at the level of a package: a function, a method, a type, or the constants and
// variables of one line.
type declaration struct {
	node ast.Node
	in   *Package
	file *ast.File
	// implicit is what an iota or a repeated expression of a constant depends on: its place in the group and the text that
	// is repeated.
	implicit string
	objects  []types.Object
	text     func() []byte // what stands for it in a fingerprint
}

// NewCode returns the source as code that fingerprints can be taken of.
func NewCode(source Source) *Code {
	c := &Code{
		source:   source,
		packages: map[*types.Package]*Package{},
		declared: map[types.Object]*declaration{},
		within:   map[*Package][]*declaration{},
		methods:  map[string][]*types.Func{},
	}
	for _, p := range source.Packages {
		c.packages[p.Types] = p
		c.index(p)
	}
	c.changes = sync.OnceValue(func() *changes { return newChanges(c) })
	return c
}

// index notes what a package declares.
func (c *Code) index(p *Package) {
	for _, file := range p.Files {
		for _, decl := range file.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				object, _ := p.Info.Defs[decl.Name].(*types.Func)
				if object == nil {
					continue
				}
				c.declare(&declaration{node: decl, in: p, file: file, objects: []types.Object{object}})
				if object.Signature().Recv() != nil {
					c.methods[object.Name()] = append(c.methods[object.Name()], object)
				}
			case *ast.GenDecl:
				c.indexGroup(p, file, decl)
			}
		}
	}
}

func (c *Code) declare(d *declaration) {
	d.text = sync.OnceValue(d.describe)
	c.within[d.in] = append(c.within[d.in], d)
	for _, object := range d.objects {
		c.declared[object] = d
	}
}

func (c *Code) indexGroup(p *Package, file *ast.File, group *ast.GenDecl) {
	repeated := ""
	for i, spec := range group.Specs {
		d := &declaration{node: spec, in: p, file: file}
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			d.objects = []types.Object{p.Info.Defs[spec.Name]}
		case *ast.ValueSpec:
			for _, name := range spec.Names {
				d.objects = append(d.objects, p.Info.Defs[name])
			}
			if group.Tok == token.CONST {
				if len(spec.Values) > 0 {
					var text bytes.Buffer
					writeDeclaration(&text, spec, p.Info)
					repeated = text.String()
				}
				d.implicit = fmt.Sprintf("%d %s", i, repeated)
			}
		default:
			continue
		}
		d.objects = slices.DeleteFunc(d.objects, func(o types.Object) bool { return o == nil })
		c.declare(d)
	}
}
