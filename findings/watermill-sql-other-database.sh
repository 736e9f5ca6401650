#!/bin/sh
# A transaction in one database stops watermill-sql's subscribers in another database of the same server.
#
# The subscriber reads what is older than pg_snapshot_xmin(pg_current_snapshot()), so that it does not overtake a publisher
# that has not committed yet. PostgreSQL counts transactions for the whole server: a transaction that has written anything,
# in any database, and stays open holds every subscriber back, and each that publishes meanwhile too. Nothing is lost, and
# nothing says why nothing arrives: the message is handled when the stranger's transaction ends.
#
# Seen with github.com/ThreeDotsLabs/watermill-sql/v4 v4.1.2, watermill v1.5.1, pgx v5.12.0 and PostgreSQL 17.5.
set -eu
dir=$(mktemp -d)
. "$(dirname "$0")/postgres"
start_postgres "$dir"
cd "$dir"
cat >go.mod <<'MOD'
module example.com/finding

go 1.26.0

require (
	github.com/ThreeDotsLabs/watermill v1.5.1
	github.com/ThreeDotsLabs/watermill-sql/v4 v4.1.2
	github.com/jackc/pgx/v5 v5.12.0
)
MOD
cat >main.go <<'GO'
package main

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	wsql "github.com/ThreeDotsLabs/watermill-sql/v4/pkg/sql"
	"github.com/ThreeDotsLabs/watermill/message"
	_ "github.com/jackc/pgx/v5/stdlib"
)

func open(name string) *sql.DB {
	db, err := sql.Open("pgx", "host="+os.Args[1]+" user=postgres dbname="+name)
	check(err)
	return db
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	ctx := context.Background()
	shop, stranger := open("postgres"), open("template1")
	publisher, err := wsql.NewPublisher(wsql.BeginnerFromStdSQL(shop), wsql.PublisherConfig{
		SchemaAdapter: wsql.DefaultPostgreSQLSchema{}, AutoInitializeSchema: true,
	}, watermill.NopLogger{})
	check(err)
	subscriber, err := wsql.NewSubscriber(wsql.BeginnerFromStdSQL(shop), wsql.SubscriberConfig{
		PollInterval: 20 * time.Millisecond, SchemaAdapter: wsql.DefaultPostgreSQLSchema{},
		OffsetsAdapter: wsql.DefaultPostgreSQLOffsetsAdapter{}, InitializeSchema: true,
	}, watermill.NopLogger{})
	check(err)
	messages, err := subscriber.Subscribe(ctx, "orders")
	check(err)

	open, err := stranger.BeginTx(ctx, nil)
	check(err)
	_, err = open.Exec("select pg_current_xact_id()") // as any write would
	check(err)
	check(publisher.Publish("orders", message.NewMessage("1", []byte("{}"))))
	select {
	case <-messages:
		fmt.Println("a message arrives while another database has an open transaction")
	case <-time.After(3 * time.Second):
		fmt.Println("150 polls: no message while another database has an open transaction")
	}
	check(open.Rollback())
	select {
	case m := <-messages:
		m.Ack()
		fmt.Println("it arrives when that one has ended")
	case <-time.After(time.Minute):
		fmt.Println("it never arrives")
	}
}
GO
GOFLAGS=-mod=mod go run . "$dir/data" >seen 2>log || { cat log; exit 1; }
cat >want <<'WANT'
150 polls: no message while another database has an open transaction
it arrives when that one has ended
WANT
diff -u want seen
cat seen
