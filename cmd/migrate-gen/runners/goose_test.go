package runners_test

import (
	"context"
	"database/sql"
	"os"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx of database/sql
	goosetool "github.com/pressly/goose/v3"
)

var goose = runner{
	format: "goose",
	table:  "goose_db_version",
	up: func(ctx context.Context, dsn, folder string) error {
		return withGoose(dsn, folder, func(p *goosetool.Provider) error {
			_, err := p.Up(ctx)
			return err
		})
	},
	down: func(ctx context.Context, dsn, folder string) error {
		return withGoose(dsn, folder, func(p *goosetool.Provider) error {
			_, err := p.DownTo(ctx, 0)
			return err
		})
	},
}

func withGoose(dsn, folder string, do func(*goosetool.Provider) error) error {
	return withDB(dsn, func(db *sql.DB) error {
		p, err := goosetool.NewProvider(goosetool.DialectPostgres, db, os.DirFS(folder))
		if err != nil {
			return err
		}
		return do(p)
	})
}
