#!/bin/sh
# jennifer 1.7.1 renders files that goimports lays out differently.
#
# A generator that writes jennifer's text as it is fails its users' formatting check: imports of other modules and of the
# standard library stand in one group, sorted by path, where goimports wants two. Two more surprises for generated code that
# people read: a comment of two lines becomes a block comment, and Lit(uint8(3)) is written in hexadecimal with a conversion.
#
# Seen with github.com/dave/jennifer v1.7.1 and golang.org/x/tools v0.52.0.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'MOD'
module example.com/finding

go 1.26.0

require (
	github.com/dave/jennifer v1.7.1
	golang.org/x/tools v0.52.0
)
MOD
cat >main.go <<'GO'
package main

import (
	"bytes"
	"fmt"
	"log"

	"github.com/dave/jennifer/jen"
	"golang.org/x/tools/imports"
)

func main() {
	f := jen.NewFile("shop")
	f.Comment("Count is the number of orders.\nIt never falls.")
	f.Var().Id("Count").Op("=").Lit(uint8(3))
	f.Var().Id("Missing").Op("=").Qual("example.com/store", "ErrMissing")
	f.Var().Id("Args").Op("=").Qual("os", "Args")
	var rendered bytes.Buffer
	if err := f.Render(&rendered); err != nil {
		log.Fatal(err)
	}
	formatted, err := imports.Process("shop.go", rendered.Bytes(), &imports.Options{FormatOnly: true, Comments: true, TabIndent: true, TabWidth: 8})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(rendered.String())
	fmt.Println("fixed point of goimports:", bytes.Equal(rendered.Bytes(), formatted))
}
GO
GOFLAGS=-mod=mod go run . >seen 2>log || { cat log; exit 1; }
cat >want <<'WANT'
package shop

import (
	store "example.com/store"
	"os"
)

/*
Count is the number of orders.
It never falls.
*/
var Count = uint8(0x3)
var Missing = store.ErrMissing
var Args = os.Args
fixed point of goimports: false
WANT
diff -u want seen
cat seen
