#!/bin/sh
# JetStream remembers a stream's last message ID over a purge, and over a restart, but not over both.
#
# A publisher that says which message ID must be the last (Nats-Expected-Last-Msg-Id) goes on after either. After a purge and
# then a restart the server has no last ID, and the publisher that names the right one is refused until it publishes without
# an expectation. Also: inside the window for duplicates a repeated message is acknowledged as a duplicate before anybody
# looks at its expectation, also at a wrong one; outside of it, the expectation alone keeps repeats out.
#
# Seen with github.com/nats-io/nats-server/v2 v2.15.3 and nats.go v1.55.0, in one process, without a network.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'MOD'
module example.com/finding

go 1.26.0

require (
	github.com/nats-io/nats-server/v2 v2.15.3
	github.com/nats-io/nats.go v1.55.0
)
MOD
cat >main.go <<'GO'
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// A broker is a server and a client of it.
type broker struct {
	server *server.Server
	conn   *nats.Conn
	js     jetstream.JetStream
}

func start(folder string) broker {
	s, err := server.NewServer(&server.Options{JetStream: true, StoreDir: folder, DontListen: true, NoSigs: true, NoLog: true})
	check(err)
	s.Start()
	if !s.ReadyForConnections(time.Minute) {
		log.Fatal("the server does not start")
	}
	conn, err := nats.Connect("", nats.InProcessServer(s))
	check(err)
	js, err := jetstream.New(conn)
	check(err)
	return broker{s, conn, js}
}

func (b broker) stop() {
	b.conn.Close()
	b.server.Shutdown()
	b.server.WaitForShutdown()
}

func (b broker) publish(id, last string) {
	options := []jetstream.PublishOpt{jetstream.WithMsgID(id)}
	if last != "" {
		options = append(options, jetstream.WithExpectLastMsgID(last))
	}
	ack, err := b.js.Publish(context.Background(), "orders", []byte(id), options...)
	var refused *jetstream.APIError
	switch {
	case errors.As(err, &refused):
		fmt.Printf("  %s after %q: refused, the last is %q\n", id, last, refused.Description[len("wrong last msg ID: "):])
	case err != nil:
		log.Fatal(err)
	default:
		fmt.Printf("  %s after %q: sequence %d, duplicate %t\n", id, last, ack.Sequence, ack.Duplicate)
	}
}

func (b broker) purge() {
	stream, err := b.js.Stream(context.Background(), "ORDERS")
	check(err)
	check(stream.Purge(context.Background()))
}

func main() {
	b := start(os.Args[1])
	_, err := b.js.CreateStream(context.Background(), jetstream.StreamConfig{
		Name: "ORDERS", Subjects: []string{"orders"}, Duplicates: 2 * time.Second,
	})
	check(err)
	fmt.Println("a stream")
	b.publish("a", "")
	b.publish("b", "a")
	fmt.Println("repeated inside the window, with a wrong expectation")
	b.publish("b", "z")
	time.Sleep(5 * time.Second)
	fmt.Println("repeated outside the window")
	b.publish("b", "a")
	fmt.Println("after a restart")
	b.stop()
	b = start(os.Args[1])
	b.publish("c", "b")
	fmt.Println("after a purge")
	b.purge()
	b.publish("d", "c")
	fmt.Println("after a purge and a restart")
	b.purge()
	b.stop()
	b = start(os.Args[1])
	b.publish("e", "d")
	b.publish("e", "")
	b.stop()
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
GO
GOFLAGS=-mod=mod go run . "$dir/store" >seen 2>log || { cat log; exit 1; }
cat >want <<'WANT'
a stream
  a after "": sequence 1, duplicate false
  b after "a": sequence 2, duplicate false
repeated inside the window, with a wrong expectation
  b after "z": sequence 2, duplicate true
repeated outside the window
  b after "a": refused, the last is "b"
after a restart
  c after "b": sequence 3, duplicate false
after a purge
  d after "c": sequence 4, duplicate false
after a purge and a restart
  e after "d": refused, the last is ""
  e after "": sequence 5, duplicate false
WANT
diff -u want seen
cat seen
