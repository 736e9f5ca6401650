// Bank moves money between accounts: two streams change in one transaction, many writers at once, and a request that is
// repeated is carried out once. It shows an eventmap store on database/sql. README.md goes through it.
//
//	DATABASE_URL=postgres:///bank go run . -migrate
package main

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"sync"
	"time"

	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver called pgx

	"github.com/eventmap/eventmap/examples/bank/domain/account"
	"github.com/eventmap/eventmap/examples/bank/domain/transfer"
)

//go:generate go tool eventmap-gen --input ./domain --output ./bankstore
//go:generate go tool migrate-gen --domain ./domain/... --output ./migrations

//go:embed migrations/*.sql
var migrations embed.FS

func main() {
	log.SetFlags(0)
	migrate := flag.Bool("migrate", false, "create the tables first; an application leaves that to its migration tool")
	flag.Parse()
	url := os.Getenv("DATABASE_URL")
	if url == "" {
		log.Fatal("bank: DATABASE_URL is not set; it names the database to use")
	}
	if err := run(context.Background(), url, *migrate, os.Stdout); err != nil {
		log.Fatalf("bank: %v", err)
	}
}

// writers is how many transfers are made at once.
const writers = 16

// connect opens the database, and creates the tables if it is told to.
func connect(ctx context.Context, url string, migrate bool) (*sql.DB, error) {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(writers)
	db.SetMaxIdleConns(writers)
	if migrate {
		if err := createTables(ctx, db); err != nil {
			return nil, errors.Join(fmt.Errorf("migrate: %w", err), db.Close())
		}
	}
	return db, nil
}

// createTables runs the migrations in their order, which is that of their names.
func createTables(ctx context.Context, db *sql.DB) error {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := migrations.ReadFile(file)
		if err != nil {
			return err
		}
		if _, err := db.ExecContext(ctx, string(text)); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

func run(ctx context.Context, url string, migrate bool, out io.Writer) (err error) {
	db, err := connect(ctx, url, migrate)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	b, err := newBank(db)
	if err != nil {
		return err
	}
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }

	ada, charles, request := account.ID(uuid.NewString()), account.ID(uuid.NewString()), uuid.NewString()
	if err := errors.Join(b.open(ctx, ada, "Ada", 100_00), b.open(ctx, charles, "Charles", 0)); err != nil {
		return err
	}
	for _, again := range []bool{false, true} {
		done, err := b.transfer(ctx, move{request, transfer.Made{From: ada, To: charles, Cents: 25_00}})
		if err != nil || done == again {
			return errors.Join(err, fmt.Errorf("the transfer was made: %t, again: %t", done, again))
		}
	}
	say("Ada sends 25.00 to Charles. The request arrives twice and is carried out once.")

	_, err = b.transfer(ctx, move{uuid.NewString(), transfer.Made{From: charles, To: ada, Cents: 26_00}})
	tooLittle, ok := errors.AsType[*account.TooLittle](err)
	if !ok {
		return fmt.Errorf("a transfer of more than there is: %w", err)
	}
	say("Charles cannot send 26.00 back: %v.", tooLittle)

	if err := atOnce(ctx, b, ada, charles); err != nil {
		return err
	}
	if err := busyAccount(ctx, b, ada, say); err != nil {
		return err
	}
	for _, of := range []struct {
		owner string
		id    account.ID
	}{{"Ada", ada}, {"Charles", charles}} {
		cents, err := b.balance(ctx, of.id)
		if err != nil {
			return err
		}
		say("%s has %d.%02d.", of.owner, cents/100, cents%100)
	}
	return nil
}

// busyAccount shows what a snapshot saves an account of 10,000 transfers, and how those of former releases are removed.
func busyAccount(ctx context.Context, b *bank, ada account.ID, say func(format string, args ...any)) error {
	const transfers = 10_000
	shop := account.ID(uuid.NewString())
	if err := errors.Join(b.open(ctx, shop, "Shop", 0), b.history(ctx, shop, transfers)); err != nil {
		return err
	}
	for _, m := range []transfer.Made{{From: ada, To: shop, Cents: 5_00}, {From: shop, To: ada, Cents: 5_00}} {
		if _, err := b.transfer(ctx, move{uuid.NewString(), m}); err != nil {
			return err
		}
	}
	version, err := b.snapshotVersion(ctx, shop)
	if err != nil {
		return err
	}
	say("The shop has %d transfers behind it. The next one begins with the snapshot of version %d and reads the events after that.", transfers+2, version)
	swept, err := b.sweep(ctx, 90*24*time.Hour)
	if err != nil {
		return err
	}
	say("A sweep removes the snapshots of releases that are gone: %d.", swept)
	return nil
}

// atOnce has every writer send one cent back and forth, all between the same two accounts.
func atOnce(ctx context.Context, b *bank, one, other account.ID) error {
	errs := make([]error, writers)
	var group sync.WaitGroup
	for i := range writers {
		group.Go(func() {
			for _, m := range []transfer.Made{{From: one, To: other, Cents: 1}, {From: other, To: one, Cents: 1}} {
				_, err := b.transfer(ctx, move{uuid.NewString(), m})
				errs[i] = errors.Join(errs[i], err)
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}
