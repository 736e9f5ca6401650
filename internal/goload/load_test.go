package goload

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// shop is a module in which package app waits for package gen, and package web does through app.
const shop = `
-- go.mod --
module example.com/shop

go 1.26
-- order/order.go --
// Package order is whole.
package order

type Placed struct{ At Time }

type Time int
-- app/app.go --
package app

import (
	"example.com/shop/gen"
	"example.com/shop/order"
)

var Store gen.Store

type Broken struct{ Field gen.Missing }

var _ order.Placed
-- web/web.go --
package web

import "example.com/shop/app"

var _ = app.Store

func wrong() int { return "text" }
-- gen/gen.go --
// Written by the tool.
package gen

type Store struct
`

// loadShop loads the module.
func loadShop(t *testing.T, o Options) *Program {
	t.Helper()
	folder := t.TempDir()
	for _, f := range txtar.Parse([]byte(shop)).Files {
		path := filepath.Join(folder, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if o.Dir, err = NewDir(folder); err != nil {
		t.Fatal(err)
	}
	o.Patterns = []string{"./..."}
	if o.Output != "" {
		o.IsGenerated = func(src []byte) bool { return bytes.HasPrefix(src, []byte("// Written by the tool.")) }
	}
	program, err := Load(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return program
}

func TestLoad(t *testing.T) {
	t.Parallel()
	program := loadShop(t, Options{Output: "gen", Info: true})
	pkg := program.Package("example.com/shop/order")
	if pkg == nil || pkg.Below != "order" || pkg.Module != "example.com/shop" || pkg.Name != "order" {
		t.Fatalf("package order is %+v", pkg)
	}
	if at := program.Pos(pkg.Clause).String(); at != filepath.Join("order", "order.go")+":2:1" {
		t.Errorf("its clause is at %s", at)
	}
	if len(pkg.Info.Defs) == 0 {
		t.Error("what its identifiers mean was asked for, and is not there")
	}
	if at, through := program.ImportOf(program.Package("example.com/shop/web"), "example.com/shop/order"); !at.IsValid() || through != "example.com/shop/app" {
		t.Errorf("web imports order at %v through %q", program.Pos(at), through)
	}
	if at, _ := program.ImportOf(pkg, "example.com/shop/app"); at.IsValid() {
		t.Errorf("order imports app at %v", program.Pos(at))
	}
}

// Errors in code that waits for generated code are forgiven, and are there where they matter after all.
func TestBuild(t *testing.T) {
	t.Parallel()
	program := loadShop(t, Options{Output: "gen"})
	out, err := program.Output("")
	if err != nil {
		t.Fatal(err)
	}
	if out.Path != "example.com/shop/gen" || out.Name != "gen" || out.Module != "example.com/shop" {
		t.Errorf("output is %+v", out)
	}
	build := program.Build(out)
	if err := build.Problems.Err(); err != nil {
		t.Errorf("problems before generation: %v", err)
	}
	broken := program.Package("example.com/shop/app").Types.Scope().Lookup("Broken")
	if got := build.Within(broken.Pos(), broken.Pos()+40).Error(); !strings.Contains(got, "gen.Missing") {
		t.Errorf("what is wrong with app.Broken: %q", got)
	}
	if got := build.In("example.com/shop/web").Error(); !strings.Contains(got, "web.go:7") {
		t.Errorf("what is wrong with web: %q", got)
	}
}

// Without generated code, nothing is forgiven.
func TestBuild_withoutOutput(t *testing.T) {
	t.Parallel()
	program := loadShop(t, Options{})
	got := program.Build(&Output{}).Problems.Error()
	if !strings.Contains(got, filepath.Join("gen", "gen.go")) {
		t.Errorf("problems: %q", got)
	}
}

// The go command collects garbage less often, unless the environment says how often.
func TestLoad_garbageOfTheGoCommand(t *testing.T) {
	goCommand, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	bin, told := t.TempDir(), filepath.Join(t.TempDir(), "told")
	shim := fmt.Sprintf("#!/bin/sh\necho \"$GOGC\" >> '%s'\nexec '%s' \"$@\"\n", told, goCommand)
	if err := os.WriteFile(filepath.Join(bin, "go"), []byte(shim), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	for _, tt := range []struct{ set, want string }{{"", "175"}, {"50", "50"}} {
		t.Setenv("GOGC", tt.set)
		loadShop(t, Options{})
		got, err := os.ReadFile(told)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(got)) {
			if strings.TrimSpace(line) != tt.want {
				t.Errorf("GOGC is %q, and the go command was given %q, want %q", tt.set, strings.TrimSpace(line), tt.want)
			}
		}
		if err := os.Remove(told); err != nil {
			t.Fatal(err)
		}
	}
}
