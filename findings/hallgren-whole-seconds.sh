#!/bin/sh
# hallgren/eventsourcing's SQL stores keep the time of an event to the second.
#
# The time is written in a format without fractions, whatever column and database. An event that was just saved has
# nanoseconds in memory; the same event that is loaded has none. So two events of a second seem to have happened at once, a
# duration between them comes out as zero or as a second, and a test that compares what was saved with what is loaded fails
# in all but a few runs. Order does not suffer: that goes by versions and positions.
#
# Seen with github.com/hallgren/eventsourcing v0.9.1, its eventstore/sql v0.7.0 and modernc.org/sqlite v1.62.0.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'MOD'
module example.com/finding

go 1.26.0

require (
	github.com/hallgren/eventsourcing/core v0.5.2
	github.com/hallgren/eventsourcing/eventstore/sql v0.7.0
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
	"time"

	"github.com/hallgren/eventsourcing/core"
	store "github.com/hallgren/eventsourcing/eventstore/sql"
	_ "modernc.org/sqlite"
)

func main() {
	db, err := sql.Open("sqlite", ":memory:")
	check(err)
	db.SetMaxOpenConns(1)
	events, err := store.NewSQLite(db)
	check(err)
	begin := time.Date(2026, time.March, 1, 9, 0, 0, 0, time.UTC)
	var saved []core.Event
	for i, after := range []time.Duration{250 * time.Millisecond, 900 * time.Millisecond} {
		saved = append(saved, core.Event{
			AggregateID: "1", AggregateType: "Order", Version: core.Version(i + 1), Reason: "Placed",
			Timestamp: begin.Add(after), Data: []byte("{}"), Metadata: []byte("{}"),
		})
	}
	check(events.Save(saved))
	loaded, err := events.Get(context.Background(), "1", "Order", 0)
	check(err)
	defer loaded.Close()
	for _, e := range saved {
		if !loaded.Next() {
			log.Fatal("an event is missing")
		}
		is, err := loaded.Value()
		check(err)
		fmt.Println("saved", e.Timestamp.Format(time.RFC3339Nano), "loaded", is.Timestamp.UTC().Format(time.RFC3339Nano))
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
GO
GOFLAGS=-mod=mod go run . >seen 2>log || { cat log; exit 1; }
cat >want <<'WANT'
saved 2026-03-01T09:00:00.25Z loaded 2026-03-01T09:00:00Z
saved 2026-03-01T09:00:00.9Z loaded 2026-03-01T09:00:00Z
WANT
diff -u want seen
cat seen
