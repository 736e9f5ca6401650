package main

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/examples/shop/customers"
	"github.com/eventmap/eventmap/runtime/postgres"
)

//go:embed migrations/0001_eventmap.sql
var postgresMigration string

// openPostgres returns the shop's database on PostgreSQL, through pgx.
func openPostgres(ctx context.Context, url string, migrate bool) (*database[pgx.Tx], error) {
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return nil, err
	}
	if migrate {
		if _, err := pool.Exec(ctx, postgresMigration+customers.Tables); err != nil {
			pool.Close()
			return nil, fmt.Errorf("migrate: %w", err)
		}
	}
	events, err := postgres.New()
	if err != nil {
		pool.Close()
		return nil, err
	}
	checkpoints, err := postgres.NewConsumers(pool)
	if err != nil {
		pool.Close()
		return nil, err
	}
	inspector, err := postgres.NewInspector(pool)
	if err != nil {
		pool.Close()
		return nil, err
	}
	keys, err := postgres.NewKeyStore()
	if err != nil {
		pool.Close()
		return nil, err
	}
	return &database[pgx.Tx]{
		events:      events,
		checkpoints: checkpoints,
		inspector:   inspector,
		keys:        keys,
		SQL:         pgxSQL{},
		in:          func(ctx context.Context, f func(tx pgx.Tx) error) error { return pgx.BeginFunc(ctx, pool, f) },
		close:       pool.Close,
	}, nil
}

// pgxSQL runs statements through pgx.
type pgxSQL struct{}

func (pgxSQL) Dialect() customers.Dialect {
	return customers.Dialect{Rows: "jsonb_array_elements($1::jsonb) as r (value)", Time: "timestamptz"}
}

func (pgxSQL) Exec(ctx context.Context, tx pgx.Tx, statement string, args ...any) error {
	_, err := tx.Exec(ctx, statement, args...)
	return err
}

func (pgxSQL) Query(ctx context.Context, tx pgx.Tx, statement string, args, dest []any, row func()) error {
	rows, err := tx.Query(ctx, statement, args...)
	if err != nil {
		return err
	}
	_, err = pgx.ForEachRow(rows, dest, func() error {
		row()
		return nil
	})
	return err
}
