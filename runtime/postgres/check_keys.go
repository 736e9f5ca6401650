package postgres

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5"
)

// CheckKeys is [Check] for the database of keys that [KeyStore.In] is given: it looks for their table and nothing else.
func CheckKeys(ctx context.Context, db interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}, opts ...Option) error {
	return checkBy(ctx, func(ctx context.Context, q query) (rows, error) { return db.Query(ctx, q.sql, q.args...) }, opts, onlyKeys)
}

// CheckKeysSQL is [CheckKeys] for the database of keys that [KeyStore.InSQL] is given.
func CheckKeysSQL(ctx context.Context, db interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}, opts ...Option) error {
	return checkBy(ctx, sqlQuerier{db}.query, opts, onlyKeys)
}

func onlyKeys(k *checker, _ Config, t keyTables) []func() error {
	return []func() error{k.server, k.session, func() error { return k.keyTable(t, true) }}
}

var keyColumns = []column{
	{name: "key_id", types: []string{"uuid"}},
	{name: "subject", types: []string{"text"}},
	{name: "generation", types: []string{"integer"}},
	{name: "wrapped", types: []string{"bytea"}, nullable: true},
	{name: "wrapped_by", types: []string{"text"}, nullable: true},
	{name: "created_at", types: []string{"timestamp with time zone"}},
	{name: "forgotten_at", types: []string{"timestamp with time zone"}, nullable: true},
}

// keyTable checks the table of keys, which only domains with personal data have. Which role may erase keys is its owner's to say.
func (k *checker) keyTable(t keyTables, needed bool) error {
	find := k.find
	if needed {
		find = k.table
	}
	r, err := find(t.keys, "select", "insert")
	if err != nil || r == nil {
		return err
	}
	return errors.Join(k.columns(t.keys, r, keyColumns), k.keys(t.keys, r,
		key{"key_id", t.keys.PrimaryKey(), "primary key"},
		key{"subject, generation", t.keys.SubjectGenerationKey(), "unique"}))
}
