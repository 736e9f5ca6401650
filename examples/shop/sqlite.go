package main

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"

	"github.com/eventmap/eventmap/examples/shop/customers"
	"github.com/eventmap/eventmap/runtime/sqlite"
)

//go:embed migrations/sqlite/0001_eventmap.sql
var sqliteMigration string

// openSQLite returns the shop's database on SQLite, in a file or, for ":memory:", in memory.
func openSQLite(ctx context.Context, address string, migrate bool) (*database[*sql.Tx], error) {
	db, err := sqlite.Open(ctx, address)
	if err != nil {
		return nil, err
	}
	in := func(ctx context.Context, f func(tx *sql.Tx) error) error { return inSQL(ctx, db, f) }
	if migrate {
		err = in(ctx, func(tx *sql.Tx) error {
			return sqlSQL{}.Exec(ctx, tx, sqliteMigration+customers.Tables)
		})
		if err != nil {
			return nil, errors.Join(fmt.Errorf("migrate: %w", err), db.Close())
		}
	}
	events, err := sqlite.New()
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	checkpoints, err := sqlite.NewConsumers(db)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	inspector, err := sqlite.NewInspector(db)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	keys, err := sqlite.NewKeyStore()
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &database[*sql.Tx]{
		events:      events,
		checkpoints: checkpoints,
		inspector:   inspector,
		keys:        keys,
		SQL:         sqlSQL{},
		in:          in,
		close:       func() { _ = db.Close() }, // what is committed is stored
	}, nil
}

// inSQL runs f in a transaction and commits it.
func inSQL(ctx context.Context, db *sql.DB, f func(tx *sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// sqlSQL runs statements through database/sql.
type sqlSQL struct{}

func (sqlSQL) Dialect() customers.Dialect {
	return customers.Dialect{Rows: "json_each($1) as r", Time: "text"}
}

func (sqlSQL) Exec(ctx context.Context, tx *sql.Tx, statement string, args ...any) error {
	_, err := tx.ExecContext(ctx, statement, args...)
	return err
}

func (sqlSQL) Query(ctx context.Context, tx *sql.Tx, statement string, args, dest []any, row func()) error {
	rows, err := tx.QueryContext(ctx, statement, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err below says it
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		row()
	}
	return rows.Err()
}
