// Package relay publishes the events of a log to a message broker, in order per stream and at least once.
//
// A relay is a consumer, so the checkpoint, retries, parking, pausing, resetting and status are those of package consumer:
//
//	broker, err := nats.New(conn, nats.Config{Stream: "SHOP", Prefix: "shop"})
//	orders, err := relay.New[pgx.Tx]("orders-to-nats", broker, relay.Config{Source: "https://shop.example"})
//	runner, err := consumer.New(db, consumer.Config{}, consumer.Registration[pgx.Tx]{Consumer: orders})
//	err = runner.Run(ctx)
//
// Each event becomes a [Message]: a CloudEvent, or the payload as it is stored with the attributes of one. A [Publisher] sends
// messages; runtime/relay/nats has one for NATS JetStream, which stores every event once.
package relay
