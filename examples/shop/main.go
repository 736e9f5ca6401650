// Shop is a small shop on an eventmap store: it appends events of two aggregates, reads them back as the domain's own types,
// keeps a read model of them, and prints what happened. Its domain lies in domain/, the code generated from that in
// shopstore/, the read model in customers/, and the tables' SQL in migrations/.
//
// It runs on SQLite, in memory if nothing is said, and on PostgreSQL; only postgres.go and sqlite.go know which. It creates
// the tables if it is told to:
//
//	go run .
//	DATABASE_URL=shop.db go run . -migrate
//	DATABASE_URL=postgres:///shop go run . -migrate
//
// With -console it keeps the shop open instead: customers order, consumers run, one of which fails at times, and the console
// of runtime/console shows it, behind the shop's own authentication:
//
//	go run . -console localhost:8080
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/examples/shop/domain/order"
	orderv1 "github.com/eventmap/eventmap/examples/shop/domain/order/v1"
	userv1 "github.com/eventmap/eventmap/examples/shop/domain/user/events/v1"
	"github.com/eventmap/eventmap/examples/shop/shopstore"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/privacy"
)

//go:generate go tool eventmap-gen --input ./domain --convention --output ./shopstore
//go:generate go tool migrate-gen --domain ./domain/... --convention --strict --output ./migrations
//go:generate go tool migrate-gen --dialect sqlite --domain ./domain/... --convention --output ./migrations/sqlite
//go:generate go tool catalog-gen --title Shop --input ./domain --convention --store ./shopstore --handlers ./... --output ./catalog

func main() {
	log.SetFlags(0)
	migrate := flag.Bool("migrate", false, "create the tables first; an application leaves that to its migration tool")
	address := flag.String("console", "", "keep the shop open and serve its console at this address, such as localhost:8080, until an interrupt")
	flag.Parse()
	database := os.Getenv("DATABASE_URL")
	if database == "" {
		database, *migrate = ":memory:", true
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, database, *migrate, *address, os.Stdout); err != nil {
		stop()
		log.Fatalf("shop: %v", err)
	}
}

// run opens a database and tells the story on it, or serves the console at an address.
func run(ctx context.Context, database string, migrate bool, address string, out io.Writer) error {
	if strings.HasPrefix(database, "postgres:") || strings.HasPrefix(database, "postgresql:") {
		db, err := openPostgres(ctx, database, migrate)
		if err != nil {
			return err
		}
		defer db.close()
		return open(db, out).run(ctx, address)
	}
	db, err := openSQLite(ctx, database, migrate)
	if err != nil {
		return err
	}
	defer db.close()
	return open(db, out).run(ctx, address)
}

// A shop is the application: a database, and a typed store for each aggregate.
type shop[Tx any] struct {
	db     *database[Tx]
	orders *shopstore.OrderStore[Tx]
	users  *shopstore.UserStore[Tx]
	keys   *privacy.Keys[Tx] // of what is personal
	out    io.Writer
}

func open[Tx any](db *database[Tx], out io.Writer) *shop[Tx] {
	keys := privacy.NewKeys(db.keys, wrapper())
	return &shop[Tx]{
		db:     db,
		orders: shopstore.NewOrderStore(db.events),
		users:  shopstore.NewUserStore(db.events, keys),
		keys:   keys,
		out:    out,
	}
}

// run tells the story, or keeps the shop open at an address.
func (s *shop[Tx]) run(ctx context.Context, address string) error {
	if address == "" {
		return s.tell(ctx)
	}
	return s.serve(ctx, address)
}

// tell tells the whole story.
func (s *shop[Tx]) tell(ctx context.Context) error {
	user, id := uuid.NewString(), order.ID(uuid.NewString())
	for _, step := range []func() error{
		func() error { return s.register(ctx, user) },
		func() error { return s.place(ctx, id, user) },
		func() error { return s.collide(ctx, id) },
		func() error { return s.pay(ctx, id) },
		func() error { return s.remember(ctx) },
		func() error { return s.show(ctx, id) },
		func() error { return s.readLog(ctx) },
		func() error { return s.view(ctx, id) },
		func() error { return s.project(ctx, user) },
		func() error { return s.rebuild(ctx, user) },
		func() error { return s.forget(ctx, user) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// in runs f in a transaction and commits it.
func (s *shop[Tx]) in(ctx context.Context, f func(tx Tx) error) error {
	return s.db.in(ctx, f)
}

func (s *shop[Tx]) say(format string, args ...any) {
	_, _ = fmt.Fprintf(s.out, format+"\n", args...)
}

// register appends to the stream of a new user. User has no interface over its events, so shopstore.UserEventOf wraps
// them; what is no event of User does not compile.
func (s *shop[Tx]) register(ctx context.Context, user string) error {
	s.say("A user registers and changes her mail address.")
	return s.in(ctx, func(tx Tx) error {
		result, err := s.users.Append(ctx, tx, user, runtime.NoStream(), []shopstore.UserEvent{
			shopstore.UserEventOf(userv1.UserRegistered{
				Email:        "ada@example.com",
				Name:         userv1.Name{Given: "Ada", Family: "Lovelace"},
				RegisteredAt: time.Date(2026, time.March, 1, 9, 0, 0, 0, time.UTC),
			}),
			shopstore.UserEventOf(userv1.UserEmailChanged{Email: "lovelace@example.com"}),
		})
		if err != nil {
			return err
		}
		s.say("  stored as versions %d to %d of her stream", result.FromVersion()+1, result.ToVersion())
		return nil
	})
}

// place appends what the domain decides.
func (s *shop[Tx]) place(ctx context.Context, id order.ID, user string) error {
	s.say("She places an order.")
	return s.in(ctx, func(tx Tx) error {
		events := order.Place(user, "EUR", time.Date(2026, time.March, 1, 9, 5, 0, 0, time.UTC),
			order.Line{SKU: "tea", Quantity: 3, Price: order.Money{Cents: 450, Currency: "EUR"}},
			order.Line{SKU: "cup", Quantity: 1, Price: order.Money{Cents: 1290, Currency: "EUR"}},
		)
		result, err := s.orders.Append(ctx, tx, id, runtime.NoStream(), events, runtime.WithCorrelationID("checkout-1"))
		if err != nil {
			return err
		}
		s.say("  stored as versions %d to %d of the order's stream", result.FromVersion()+1, result.ToVersion())
		return nil
	})
}

// collide shows that an append which expects another version than there is changes nothing, and that the transaction
// goes on.
func (s *shop[Tx]) collide(ctx context.Context, id order.ID) error {
	s.say("Somebody who has not seen it places it once more.")
	return s.in(ctx, func(tx Tx) error {
		_, err := s.orders.Append(ctx, tx, id, runtime.NoStream(), []order.Event{order.Cancelled{Reason: "mistake"}})
		conflict, ok := errors.AsType[*runtime.ConflictError](err)
		if !ok {
			return err
		}
		_, version, err := s.orders.Load(ctx, tx, id)
		s.say("  refused: expected %s, but the stream is at version %d", conflict.Expected, version)
		return err
	})
}

// pay loads the order, lets it decide, and appends what it decides on.
func (s *shop[Tx]) pay(ctx context.Context, id order.ID) error {
	s.say("She pays, and the order is shipped.")
	return s.in(ctx, func(tx Tx) error {
		if _, err := s.orders.Execute(ctx, tx, id, func(o order.Order) ([]order.Event, error) { return o.Pay("card") }); err != nil {
			return err
		}
		home := order.Address{Street: "St James's Square 12", City: "London", Country: "GB"}
		_, err := s.orders.Execute(ctx, tx, id, func(o order.Order) ([]order.Event, error) { return o.Ship("Royal Mail", home) })
		return err
	})
}

// remember stores an event as the first release of the shop did, and reads it: what comes back is the current version.
func (s *shop[Tx]) remember(ctx context.Context) error {
	s.say("An order of the first release is read.")
	id := order.ID(uuid.NewString())
	return s.in(ctx, func(tx Tx) error {
		old, err := shopstore.ToOrderPlacedV1(shopstore.OrderType, string(id), orderv1.Placed{
			CustomerName: "Charles", At: time.Date(2024, time.December, 24, 18, 0, 0, 0, time.UTC),
		})
		if err != nil {
			return err
		}
		if _, err := s.db.events.Append(ctx, tx, runtime.NoStream(), []runtime.Event{old}); err != nil {
			return err
		}
		stream, err := s.orders.Read(ctx, tx, id)
		if err != nil {
			return err
		}
		for _, e := range stream.Events {
			s.say("  stored as v%d, read as %T: %s", e.Meta.EventVersion, e.Event, describe(e.Event))
		}
		return nil
	})
}

// show reads the order's stream as typed events, and its state.
func (s *shop[Tx]) show(ctx context.Context, id order.ID) error {
	s.say("The order's stream:")
	return s.in(ctx, func(tx Tx) error {
		stream, err := s.orders.Read(ctx, tx, id)
		if err != nil {
			return err
		}
		for _, e := range stream.Events {
			s.say("  %d  %s", e.Meta.AggregateVersion, describe(e.Event))
		}
		state, version, err := s.orders.Load(ctx, tx, id)
		if err != nil {
			return err
		}
		s.say("  at version %d: %d lines, %s, paid %t, shipped %t", version, len(state.Lines), state.Total(), state.Paid, state.Shipped)
		return nil
	})
}

// describe says in words what happened.
func describe(e order.Event) string {
	switch e := e.(type) {
	case order.Placed:
		return fmt.Sprintf("placed on %s, in %s", e.PlacedAt.Format(time.DateOnly), e.Currency)
	case order.ItemAdded:
		return fmt.Sprintf("%d x %s at %s", e.Line.Quantity, e.Line.SKU, e.Line.Price)
	case order.ItemRemoved:
		return fmt.Sprintf("without %s", e.SKU)
	case order.Paid:
		return fmt.Sprintf("%s paid by %s", e.Amount, e.Method)
	case order.Shipped:
		return fmt.Sprintf("shipped with %s to %s", e.Carrier, e.To.City)
	case order.Cancelled:
		return "cancelled: " + e.Reason
	default:
		return fmt.Sprintf("%T", e)
	}
}

// readLog reads the events of all aggregates in the order they were stored, batch by batch, and counts them by type. The
// last position is a safe checkpoint: whoever reads on from there misses nothing.
func (s *shop[Tx]) readLog(ctx context.Context) error {
	counts := map[string]int{}
	total, checkpoint := 0, int64(0)
	for {
		var batch []runtime.PersistedEvent
		err := s.in(ctx, func(tx Tx) (err error) {
			if batch, err = s.db.events.ReadEvents(ctx, tx, checkpoint, 100); err != nil {
				return err
			}
			_, err = shopstore.FromESEvents[any](ctx, tx, s.keys, batch)
			return err
		})
		if err != nil {
			return err
		}
		if len(batch) == 0 {
			break
		}
		for _, e := range batch {
			counts[e.AggregateType]++
			total++
		}
		checkpoint = batch[len(batch)-1].GlobalPosition
	}
	s.say("The log holds %d events: %d of orders and %d of users; checkpoint %d.",
		total, counts[shopstore.OrderType], counts[shopstore.UserType], checkpoint)
	return nil
}
