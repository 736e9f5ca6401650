//go:generate go tool eventmap-gen --input ./domain --output ./eventstore
//go:generate go tool migrate-gen --domain ./domain/... --strict --append-only --index event-type --output ./migrations
//go:generate go tool migrate-gen --dialect sqlite --domain ./domain/... --output ./migrations/sqlite

// The shop stores a few orders and accounts, and keeps a read model of them: on PostgreSQL if DATABASE_URL is set, and else
// in shop.db, on SQLite.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"example.com/shop/domain/account"
	"example.com/shop/domain/order"
	"example.com/shop/eventstore"
	"example.com/shop/totals"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/postgres"
	"github.com/eventmap/eventmap/runtime/sqlite"
)

func main() {
	log.SetFlags(0)
	ctx := context.Background()
	if len(os.Args) != 2 {
		log.Fatal("usage: shop seed|report")
	}
	if err := connect(ctx, os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func connect(ctx context.Context, command string) error {
	if url := os.Getenv("DATABASE_URL"); url != "" {
		return onPostgres(ctx, url, command)
	}
	return onSQLite(ctx, command)
}

func onPostgres(ctx context.Context, url, command string) error {
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return err
	}
	defer pool.Close()
	store, err := postgres.New()
	if err != nil {
		return err
	}
	checkpoints, err := postgres.NewConsumers(pool)
	if err != nil {
		return err
	}
	if err := postgres.Check(ctx, pool); err != nil {
		return err
	}
	return shop[pgx.Tx]{
		store:       store,
		checkpoints: checkpoints,
		in:          func(f func(tx pgx.Tx) error) error { return pgx.BeginFunc(ctx, pool, f) },
		exec: func(ctx context.Context, tx pgx.Tx, statement string, args ...any) error {
			_, err := tx.Exec(ctx, statement, args...)
			return err
		},
		row: func(tx pgx.Tx, statement string, dest ...any) error { return tx.QueryRow(ctx, statement).Scan(dest...) },
	}.run(ctx, command)
}

func onSQLite(ctx context.Context, command string) error {
	db, err := sqlite.Open(ctx, "shop.db")
	if err != nil {
		return err
	}
	defer db.Close()
	if err := sqlite.Migrate(ctx, db); err != nil {
		return err
	}
	store, err := sqlite.New()
	if err != nil {
		return err
	}
	checkpoints, err := sqlite.NewConsumers(db)
	if err != nil {
		return err
	}
	return shop[*sql.Tx]{
		store:       store,
		checkpoints: checkpoints,
		in: func(f func(tx *sql.Tx) error) error {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			defer tx.Rollback()
			if err := f(tx); err != nil {
				return err
			}
			return tx.Commit()
		},
		exec: func(ctx context.Context, tx *sql.Tx, statement string, args ...any) error {
			_, err := tx.ExecContext(ctx, statement, args...)
			return err
		},
		row: func(tx *sql.Tx, statement string, dest ...any) error { return tx.QueryRow(statement).Scan(dest...) },
	}.run(ctx, command)
}

type shop[Tx any] struct {
	store       runtime.Store[Tx]
	checkpoints consumer.Database[Tx]
	in          func(f func(tx Tx) error) error
	exec        totals.Exec[Tx]
	row         func(tx Tx, statement string, dest ...any) error
}

func (s shop[Tx]) run(ctx context.Context, command string) error {
	switch command {
	case "seed":
		return s.seed(ctx)
	case "report":
		return s.report(ctx)
	}
	return fmt.Errorf("no command %q; there are seed and report", command)
}

// seed stores orders and accounts. The read model has seen part of them, and has parked one.
func (s shop[Tx]) seed(ctx context.Context) error {
	if err := s.in(func(tx Tx) error { return s.exec(ctx, tx, totals.Table) }); err != nil {
		return err
	}
	note, at := "ring twice", time.Date(2026, 3, 2, 9, 30, 0, 123456789, time.UTC)
	// An order of the shop's very first version: what is stored is version 1.
	first, err := eventstore.ToOrderPlacedV1(eventstore.OrderType, "o-1", order.PlacedV1{Customer: "Ada", Cents: 1290})
	if err != nil {
		return err
	}
	if err := s.in(func(tx Tx) error {
		_, err := s.store.Append(ctx, tx, runtime.NoStream(), []runtime.Event{first})
		return err
	}); err != nil {
		return err
	}
	orders, accounts := eventstore.NewOrderStore(s.store), eventstore.NewAccountStore(s.store)
	if err := s.in(func(tx Tx) error {
		_, err := accounts.Append(ctx, tx, "a-1", runtime.NoStream(), []account.Event{account.Opened{Name: "Ada", Email: "ada@example.com"}})
		return err
	}); err != nil {
		return err
	}
	place := func(id order.ID, e order.Placed) error {
		return s.in(func(tx Tx) error {
			_, err := orders.Append(ctx, tx, id, runtime.NoStream(), []order.Event{e})
			return err
		})
	}
	if err := errors.Join(
		place("o-2", order.Placed{Customer: "Ada", Cents: 500, Currency: "EUR", Channel: order.Till, At: at, Note: &note}),
		place("o-3", order.Placed{Customer: "Grace", Cents: 900, Currency: "USD", Channel: order.Web, At: at}),
	); err != nil {
		return err
	}
	if err := s.project(ctx); err != nil {
		return err
	}
	// What follows was stored after the last run of the consumer.
	return errors.Join(
		place("o-4", order.Placed{Customer: "Grace", Cents: 2000, Currency: "EUR", Channel: order.Web, At: at}),
		s.in(func(tx Tx) error {
			_, err := orders.Append(ctx, tx, "o-2", runtime.Exact(1), []order.Event{order.Paid{Method: "card", Tags: map[string]string{"bank": "Köln"}}})
			return err
		}),
	)
}

func (s shop[Tx]) project(ctx context.Context) error {
	runner, err := consumer.New(s.checkpoints, consumer.Config{}, consumer.Registration[Tx]{
		Consumer: totals.Consumer(s.exec), Segments: 2, Attempts: 1, Policy: consumer.Park,
	})
	if err != nil {
		return err
	}
	return runner.RunUntilCaughtUp(ctx, nil)
}

// report loads an order that an earlier release stored, decides on it, and brings the read model up to date.
func (s shop[Tx]) report(ctx context.Context) error {
	orders := eventstore.NewOrderStore(s.store)
	for _, id := range []order.ID{"o-1", "o-2"} {
		err := s.in(func(tx Tx) error {
			o, version, err := orders.Load(ctx, tx, id)
			if err != nil {
				return err
			}
			fmt.Printf("%s at version %d: %+v\n", id, version, o)
			return nil
		})
		if err != nil {
			return err
		}
	}
	err := s.in(func(tx Tx) error {
		result, err := orders.Execute(ctx, tx, "o-1", func(o order.Order) ([]order.Event, error) { return o.Pay("cash") })
		if err != nil {
			return err
		}
		fmt.Printf("o-1 is paid at version %d\n", result.ToVersion())
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.project(ctx); err != nil {
		return err
	}
	return s.in(func(tx Tx) error {
		var ada, grace, parked int64
		if err := s.row(tx, `select sum(case customer when 'Ada' then cents end), sum(case customer when 'Grace' then cents end),
	(select count(*) from parked_events) from totals`, &ada, &grace, &parked); err != nil {
			return err
		}
		fmt.Printf("Ada %d, Grace %d, parked %d\n", ada, grace, parked)
		return nil
	})
}
