// Package nats publishes the events of a relay to NATS JetStream, each once and in order.
//
//	conn, err := nats.Connect("nats://localhost:4222") // of github.com/nats-io/nats.go
//	broker, err := relaynats.New(conn, relaynats.Config{Stream: "SHOP", Prefix: "shop"})
//
// The JetStream stream must exist and take the subjects shop.> in this example. Each event goes to the subject of its aggregate,
// shop.Order.42, with its ID as the ID of the message, and expects the message before it to be the last of the stream, by
// its sequence. So the server refuses what was published before, whatever its duplicate window, and what a second relay
// publishes at the same time.
package nats
