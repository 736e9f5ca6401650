// Relay publishes the events of the shop to NATS JetStream, as CloudEvents, and shows what a subscriber gets. In the middle the
// broker is stopped; the shop goes on, and nothing is lost, repeated or out of order. Log and broker live in a folder that is
// gone afterwards:
//
//	go run .
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/eventmap/eventmap/examples/shop/domain/order"
	"github.com/eventmap/eventmap/examples/shop/shopstore"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/relay"
	relaynats "github.com/eventmap/eventmap/runtime/relay/nats"
	"github.com/eventmap/eventmap/runtime/sqlite"
)

func main() {
	log.SetFlags(0)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout); err != nil {
		log.Fatalf("relay: %v", err)
	}
}

// run tells the story in a folder of its own.
func run(ctx context.Context, out io.Writer) (err error) {
	folder, err := os.MkdirTemp("", "relay")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	b, err := startBroker(filepath.Join(folder, "jetstream"))
	if err != nil {
		return err
	}
	defer func() { b.stop() }()
	db, err := sqlite.Open(ctx, filepath.Join(folder, "shop.db"))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	if err := sqlite.Migrate(ctx, db); err != nil {
		return err
	}
	return tell(ctx, db, b, out)
}

func tell(ctx context.Context, db *sql.DB, b *broker, out io.Writer) error {
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }
	conn, err := nats.Connect(b.url(), nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	if err != nil {
		return err
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		return err
	}
	stream, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "SHOP", Subjects: []string{"shop.>"}})
	if err != nil {
		return err
	}
	runner, err := relayed(db, conn)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var relaying sync.WaitGroup
	relaying.Go(func() { _ = runner.Run(ctx) }) // what is not relayed is missed below
	defer relaying.Wait()
	defer cancel()

	say("Two orders are placed, and the relay publishes their events.")
	ids, err := place(ctx, db, 2)
	if err != nil {
		return err
	}
	runner.Wake()
	if err := show(ctx, stream, 1, 4, say); err != nil {
		return err
	}
	say("The broker is stopped. Both orders are paid meanwhile.")
	b.stop()
	if err := pay(ctx, db, ids); err != nil {
		return err
	}
	runner.Wake()
	if err := away(ctx, runner, say); err != nil {
		return err
	}
	say("The broker is back.")
	if err := b.start(); err != nil {
		return err
	}
	return show(ctx, stream, 5, 6, say)
}

// relayed returns the runner of the relay.
func relayed(db *sql.DB, conn *nats.Conn) (*consumer.Runner[*sql.Tx], error) {
	broker, err := relaynats.New(conn, relaynats.Config{Stream: "SHOP", Prefix: "shop", AckWait: time.Second})
	if err != nil {
		return nil, err
	}
	events, err := relay.New[*sql.Tx]("shop-to-nats", broker, relay.Config{Source: "https://shop.example", TypePrefix: "example.shop."})
	if err != nil {
		return nil, err
	}
	consumers, err := sqlite.NewConsumers(db)
	if err != nil {
		return nil, err
	}
	return consumer.New(consumers, consumer.Config{Logger: runtime.NoOpLogger{}}, consumer.Registration[*sql.Tx]{
		Consumer: events, Backoff: consumer.Backoff{First: 50 * time.Millisecond, Most: time.Second},
	})
}

// place places so many orders.
func place(ctx context.Context, db *sql.DB, n int) (ids []order.ID, err error) {
	return ids, in(ctx, db, func(tx *sql.Tx, orders *shopstore.OrderStore[*sql.Tx]) error {
		for range n {
			id := order.ID(uuid.NewString())
			events := order.Place("ada", "EUR", time.Now().UTC(), order.Line{SKU: "tea", Quantity: 1, Price: order.Money{Cents: 450, Currency: "EUR"}})
			if _, err := orders.Append(ctx, tx, id, runtime.NoStream(), events); err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return nil
	})
}

// pay pays orders.
func pay(ctx context.Context, db *sql.DB, ids []order.ID) error {
	return in(ctx, db, func(tx *sql.Tx, orders *shopstore.OrderStore[*sql.Tx]) error {
		for _, id := range ids {
			if _, err := orders.Execute(ctx, tx, id, func(o order.Order) ([]order.Event, error) { return o.Pay("card") }); err != nil {
				return err
			}
		}
		return nil
	})
}

func in(ctx context.Context, db *sql.DB, f func(tx *sql.Tx, orders *shopstore.OrderStore[*sql.Tx]) error) error {
	store, err := sqlite.New()
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if err := f(tx, shopstore.NewOrderStore(store)); err != nil {
		return err
	}
	return tx.Commit()
}

// away waits until the status of the relay says that the broker is away.
func away(ctx context.Context, runner *consumer.Runner[*sql.Tx], say func(string, ...any)) error {
	for {
		status, err := runner.Status(ctx)
		if err != nil {
			return err
		}
		if s := status[0].Segments[0]; s.LastError != "" {
			say("  %d events wait, %d are parked: the relay tries again", s.Lag.Events, status[0].Parked)
			return nil
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context) error {
	select {
	case <-time.After(10 * time.Millisecond):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// show waits for messages and prints them.
func show(ctx context.Context, stream jetstream.Stream, from, to uint64, say func(string, ...any)) error {
	for {
		info, err := stream.Info(ctx)
		if err == nil && info.State.LastSeq >= to {
			break
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
	for sequence := from; sequence <= to; sequence++ {
		m, err := stream.GetMsg(ctx, sequence)
		if err != nil {
			return err
		}
		var event struct {
			Type             string `json:"type"`
			AggregateVersion string `json:"aggregateversion"`
		}
		if err := json.Unmarshal(m.Data, &event); err != nil {
			return err
		}
		say("  message %d: %s, version %s", sequence, event.Type, event.AggregateVersion)
	}
	return nil
}
