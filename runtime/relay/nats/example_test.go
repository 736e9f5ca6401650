package nats_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/relay"
	relaynats "github.com/eventmap/eventmap/runtime/relay/nats"
)

// Messages that are published twice are in the stream once. A runner calls Publish for the consumer that relay.New returns.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	broker, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: dir, NoLog: true, NoSigs: true,
	})
	if err != nil {
		panic(err)
	}
	broker.Start()
	defer stop(broker)
	if !broker.ReadyForConnections(patience) {
		panic("the server does not start")
	}
	conn, err := nats.Connect(broker.ClientURL())
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		panic(err)
	}
	stream, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "SHOP", Subjects: []string{"shop.>"}, Duplicates: 100 * time.Millisecond})
	if err != nil {
		panic(err)
	}

	publisher, err := relaynats.New(conn, relaynats.Config{Stream: "SHOP", Prefix: "shop"})
	if err != nil {
		panic(err)
	}
	messages := []relay.Message{{
		ID: uuid.NewString(), Stream: consumer.Stream{AggregateType: "Order", AggregateID: "42"}, Version: 1, Position: 1,
		ContentType: "application/json", Data: []byte(`{"cents":1290}`),
	}}
	for range 2 {
		if err := publisher.Publish(ctx, messages); err != nil {
			panic(err)
		}
	}
	message, err := stream.GetLastMsgForSubject(ctx, "shop.Order.42")
	if err != nil {
		panic(err)
	}
	info, err := stream.Info(ctx)
	if err != nil {
		panic(err)
	}
	fmt.Println(info.State.Msgs, message.Subject, string(message.Data))
	// Output:
	// 1 shop.Order.42 {"cents":1290}
}
