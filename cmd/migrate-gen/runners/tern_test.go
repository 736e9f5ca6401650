package runners_test

import (
	"context"
	"errors"
	"os"

	"github.com/jackc/pgx/v5"
	terntool "github.com/jackc/tern/v2/migrate"
)

var tern = runner{
	format: "tern",
	table:  "schema_version",
	up: func(ctx context.Context, dsn, folder string) error {
		return withTern(ctx, dsn, folder, (*terntool.Migrator).Migrate)
	},
	down: func(ctx context.Context, dsn, folder string) error {
		return withTern(ctx, dsn, folder, func(m *terntool.Migrator, ctx context.Context) error { return m.MigrateTo(ctx, 0) })
	},
}

func withTern(ctx context.Context, dsn, folder string, do func(*terntool.Migrator, context.Context) error) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	migrate := func() error {
		m, err := terntool.NewMigrator(ctx, conn, "public.schema_version")
		if err != nil {
			return err
		}
		if err := m.LoadMigrations(os.DirFS(folder)); err != nil {
			return err
		}
		return do(m, ctx)
	}
	return errors.Join(migrate(), conn.Close(context.WithoutCancel(ctx)))
}
