#!/bin/sh
# One program stores two different JSON members under Go 1.26 and Go 1.27.
#
# The toolchain decides, not the go line of go.mod: a service built by 1.27 writes a member that the same service built by
# 1.26 does not read. It gets the zero value, and no error. The tags are legal Go and pass go vet. A map with keys of a
# float type is an error in one and JSON in the other; a struct with a format option, which 1.26 ignores, cannot be
# marshaled at all by 1.27.
#
# Seen with go1.26.8 and go1.27.1; go.mod says go 1.26.0 both times.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
printf 'module example.com/finding\n\ngo 1.26.0\n' >go.mod
cat >main.go <<'GO'
package main

import (
	"encoding/json"
	"fmt"
)

type quotation struct {
	Amount int `json:"qu\"o"`
}

type apostrophe struct {
	Amount int `json:"it's"`
}

type format struct {
	Hash []byte `json:"hash,format:hex"`
}

func main() {
	for _, v := range []any{quotation{1}, apostrophe{1}, format{[]byte{1}}, map[float64]int{1.5: 1}} {
		text, err := json.Marshal(v)
		fmt.Printf("%T: %s, %v\n", v, text, err)
	}
}
GO
for version in go1.26.8 go1.27.1; do
	GOTOOLCHAIN=$version go vet .
	GOTOOLCHAIN=$version go run . | sed "s/^/$version /"
done >seen
cat >want <<'WANT'
go1.26.8 main.quotation: {"Amount":1}, <nil>
go1.26.8 main.apostrophe: {"Amount":1}, <nil>
go1.26.8 main.format: {"hash":"AQ=="}, <nil>
go1.26.8 map[float64]int: , json: unsupported type: map[float64]int
go1.27.1 main.quotation: {"qu":1}, <nil>
go1.27.1 main.apostrophe: {"it":1}, <nil>
go1.27.1 main.format: , json: unsupported value: Go struct field Hash has unsupported `format` tag option
go1.27.1 map[float64]int: {"1.5":1}, <nil>
WANT
diff -u want seen
cat seen
