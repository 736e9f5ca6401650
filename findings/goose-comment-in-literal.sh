#!/bin/sh
# goose 3.29.0 takes " -- " inside a string literal for a comment, and then misses the semicolon behind it.
#
# goose splits a migration into statements line by line. A line that ends in a semicolon ends the statement, unless " -- "
# stands in the line: what follows it counts as a comment, also inside quotation marks. The same statement with another
# text in the literal is taken. So a default, a comment on a column or an enumeration's label with two dashes in it stops a
# deployment, unless the statement stands between StatementBegin and StatementEnd.
#
# Seen with github.com/pressly/goose/v3 v3.29.0 and modernc.org/sqlite v1.62.0.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'MOD'
module example.com/finding

go 1.26.0

require (
	github.com/pressly/goose/v3 v3.29.0
	modernc.org/sqlite v1.62.0
)
MOD
cat >main.go <<'GO'
package main

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"strings"
	"testing/fstest"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite"
)

func main() {
	for _, text := range []string{"late - or never", "late -- or never"} {
		db, err := sql.Open("sqlite", ":memory:")
		if err != nil {
			log.Fatal(err)
		}
		statement := "create table orders (state text default '" + text + "');\n"
		if _, err := db.Exec(statement + "drop table orders;"); err != nil {
			log.Fatal("SQLite itself: ", err)
		}
		files := fstest.MapFS{"0001_orders.sql": {Data: []byte("-- +goose Up\n" + statement)}}
		provider, err := goose.NewProvider(goose.DialectSQLite3, db, files)
		if err == nil {
			_, err = provider.Up(context.Background())
		}
		fmt.Printf("%s: refused: %t, misses the semicolon: %t\n", text, err != nil, err != nil && strings.HasSuffix(err.Error(), "missing semicolon?"))
	}
}
GO
GOFLAGS=-mod=mod go run . >seen 2>log || { cat log; exit 1; }
cat >want <<'WANT'
late - or never: refused: false, misses the semicolon: false
late -- or never: refused: true, misses the semicolon: true
WANT
diff -u want seen
cat seen
