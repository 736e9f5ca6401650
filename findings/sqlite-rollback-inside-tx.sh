#!/bin/sh
# After SQLite has rolled a transaction back by itself, modernc.org/sqlite goes on as if nothing had happened: what the same
# *sql.Tx writes then is kept, although it ends with Rollback.
#
# SQLite ends a transaction in its middle for "or rollback", a full disk, an interrupted write and others. The statement
# returns an error; the *sql.Tx stays usable for database/sql and the driver, and each further statement is a transaction of
# its own. Code that treats the error as "this event is a duplicate, go on with the next" stores a part of what it believes
# to be all or nothing. Rollback then reports that there is no transaction; a deferred Rollback whose error nobody reads says
# nothing at all.
#
# Seen with modernc.org/sqlite v1.62.0 and go1.26.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
printf 'module example.com/finding\n\ngo 1.26.0\n\nrequire modernc.org/sqlite v1.62.0\n' >go.mod
cat >main.go <<'GO'
package main

import (
	"database/sql"
	"fmt"
	"log"

	_ "modernc.org/sqlite"
)

func main() {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		log.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	must(db.Exec("create table events (id text primary key)"))
	must(db.Exec("insert into events values ('b')"))

	tx, err := db.Begin()
	if err != nil {
		log.Fatal(err)
	}
	for _, id := range []string{"a", "b", "c"} {
		_, err := tx.Exec("insert or rollback into events values (?)", id)
		fmt.Printf("insert %s: failed: %t\n", id, err != nil)
	}
	fmt.Println("rollback:", tx.Rollback())

	var kept string
	if err := db.QueryRow("select group_concat(id, ' ' order by id) from events").Scan(&kept); err != nil {
		log.Fatal(err)
	}
	fmt.Println("stored:", kept)
}

func must(_ sql.Result, err error) {
	if err != nil {
		log.Fatal(err)
	}
}
GO
GOFLAGS=-mod=mod go run . >seen 2>log || { cat log; exit 1; }
cat >want <<'WANT'
insert a: failed: false
insert b: failed: true
insert c: failed: false
rollback: SQL logic error: cannot rollback - no transaction is active (1)
stored: b c
WANT
diff -u want seen
cat seen
