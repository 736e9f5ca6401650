package docs_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime/sqlite"
)

// TestUpgrade takes a shop from the first release to this one as the page says: its code, its lock, its migrations, and the
// logs on PostgreSQL and SQLite that the first release wrote.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	const old = "testdata/upgrade"
	url, shop := pgtest.New(t), t.TempDir()
	for _, script := range []string{"shop/migrations/0001_eventmap.sql", "postgres.sql"} {
		if err := migrate(url, filepath.Join(old, script)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(shop, os.DirFS(filepath.Join(old, "shop"))); err != nil {
		t.Fatal(err)
	}
	if err := restore(t, filepath.Join(old, "sqlite.sql"), filepath.Join(shop, "shop.db")); err != nil {
		t.Fatal(err)
	}
	lock, err := os.ReadFile(filepath.Join(shop, "eventstore/eventmap.lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(shop, "lock-of-0.1.json"), string(lock))
	runPage(t, page{name: "upgrade.md", files: shop, databaseURL: url, after: `
# The lock is that of the first release, and a change of what that stored is refused.
cmp eventstore/eventmap.lock.json lock-of-0.1.json
exec sed -i.before s/json:"method"/json:"way"/ domain/order/order.go
! exec go tool eventmap-gen --input ./domain --output ./eventstore
stderr 'domain/order/order.go:\d+:\d+: .*Order.Paid.*method'
`})
}

// restore makes a database of SQLite from a dump.
func restore(t *testing.T, dump, path string) error {
	t.Helper()
	text, err := os.ReadFile(dump)
	if err != nil {
		return err
	}
	db, err := sqlite.Open(t.Context(), path)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	_, err = db.ExecContext(t.Context(), string(text))
	return err
}
