package runners_test

import (
	"context"
	"database/sql"
	"errors"

	"github.com/golang-migrate/migrate/v4"
	pgxmigrate "github.com/golang-migrate/migrate/v4/database/pgx/v5"
	_ "github.com/golang-migrate/migrate/v4/source/file" // file:// as a source
)

var golangMigrate = runner{
	format: "golang-migrate",
	table:  "schema_migrations",
	up: func(_ context.Context, dsn, folder string) error {
		return withMigrate(dsn, folder, (*migrate.Migrate).Up)
	},
	down: func(_ context.Context, dsn, folder string) error {
		return withMigrate(dsn, folder, (*migrate.Migrate).Down)
	},
}

func withMigrate(dsn, folder string, do func(*migrate.Migrate) error) error {
	return withDB(dsn, func(db *sql.DB) error {
		driver, err := pgxmigrate.WithInstance(db, &pgxmigrate.Config{})
		if err != nil {
			return err
		}
		m, err := migrate.NewWithDatabaseInstance("file://"+folder, "pgx5", driver)
		if err != nil {
			return errors.Join(err, driver.Close())
		}
		err = do(m)
		sourceErr, driverErr := m.Close()
		return errors.Join(err, sourceErr, driverErr)
	})
}
