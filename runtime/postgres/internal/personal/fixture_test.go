package personal_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "modernc.org/sqlite"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/console"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/postgres"
	store "github.com/eventmap/eventmap/runtime/postgres/internal/personal/personalstore"
	"github.com/eventmap/eventmap/runtime/postgres/internal/wire"
	"github.com/eventmap/eventmap/runtime/privacy"
	"github.com/eventmap/eventmap/runtime/sqlite"
)

// A database is a log with keys beside it, and what the tests do to it.
type database[Tx any] struct {
	log interface {
		runtime.Store[Tx]
		runtime.EventReader[Tx]
	}
	keyStore  *countedKeys[Tx]
	consumers consumer.Database[Tx]
	inspector console.Inspector
	begin     func(t testing.TB) (tx Tx, commit, rollback func())
	try       func(ctx context.Context, work func(tx Tx) error) error // in a transaction, which is committed if work returns no error
	exec      func(t testing.TB, statement string)                    // in SQL that both understand
	bytes     string                                                  // a literal of bytes in SQL, with %x for them
	dump      func(t testing.TB) string                               // all that is stored
	files     func(t testing.TB) string                               // what lies on disk, with journals, where that can be told
	now       time.Time                                               // for caches
}

// countedKeys counts the queries of a key store, which may be away for some of them.
type countedKeys[Tx any] struct {
	privacy.KeyStore[Tx]
	made, found int
	failures    int // that are still to come
}

func (c *countedKeys[Tx]) MakeKeys(ctx context.Context, tx Tx, keys []privacy.StoredKey, readmit bool) ([]privacy.StoredKey, error) {
	c.made++
	return c.KeyStore.MakeKeys(ctx, tx, keys, readmit)
}

func (c *countedKeys[Tx]) FindKeys(ctx context.Context, tx Tx, query privacy.KeyQuery) ([]privacy.StoredKey, error) {
	c.found++
	if c.failures > 0 {
		c.failures--
		return nil, errAway
	}
	return c.KeyStore.FindKeys(ctx, tx, query)
}

// A process is what a program makes at its start: keys with a cache of their own, and generated stores.
type process[Tx any] struct {
	*database[Tx]
	keys      *privacy.Keys[Tx]
	transfers *store.TransferStore[Tx]
	customers *store.CustomerStore[Tx]
	letters   *store.LetterStore[Tx]
}

func (d *database[Tx]) process(opts ...runtime.Option) *process[Tx] {
	return d.processOf(localWrapper(), opts...)
}

func (d *database[Tx]) processOf(wrapper privacy.KeyWrapper, opts ...runtime.Option) *process[Tx] {
	keys := privacy.NewKeys[Tx](d.keyStore, wrapper, privacy.WithClock(func() time.Time { return d.now }))
	return &process[Tx]{
		database: d, keys: keys,
		transfers: store.NewTransferStore(d.log, keys, append([]runtime.Option{runtime.SnapshotEvery(1)}, opts...)...),
		customers: store.NewCustomerStore(d.log, keys, opts...),
		letters:   store.NewLetterStore(d.log, keys, opts...),
	}
}

func localWrapper() privacy.KeyWrapper {
	w, err := privacy.NewLocalWrapper([]byte(strings.Repeat("k", 32)))
	if err != nil {
		panic(err) // the secret has the right length
	}
	return w
}

// in runs work in a transaction that is committed.
func (d *database[Tx]) in(t testing.TB, work func(tx Tx)) {
	t.Helper()
	tx, commit, rollback := d.begin(t)
	defer rollback() // after a commit it does nothing
	work(tx)
	commit()
}

// forget forgets subjects.
func (p *process[Tx]) forget(t testing.TB, subjects ...string) {
	t.Helper()
	p.in(t, func(tx Tx) { check(t, p.keys.Forget(t.Context(), tx, subjects...)) })
}

// consume drives a consumer until it has seen everything.
func (d *database[Tx]) consume(t testing.TB, c consumer.Consumer[Tx]) error {
	t.Helper()
	return d.consumeBy(t, consumer.Registration[Tx]{Consumer: c, Attempts: 1, Policy: consumer.Park})
}

// consumeBy is consume with the settings of a registration.
func (d *database[Tx]) consumeBy(t testing.TB, registered consumer.Registration[Tx]) error {
	t.Helper()
	registered.BatchTime = time.Hour // no slow machine cuts a batch short
	r, err := consumer.New(d.consumers, consumer.Config{Logger: runtime.NoOpLogger{}}, registered)
	check(t, err)
	return r.RunUntilCaughtUp(t.Context(), nil)
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func schema(t testing.TB, o design.Options) string {
	t.Helper()
	o.Snapshots, o.SubjectKeys = true, "here"
	return schemaOf(t, o)
}

// schemaOf returns the SQL of exactly these options.
func schemaOf(t testing.TB, o design.Options) string {
	t.Helper()
	text, err := migration.Schema(o)
	check(t, err)
	return text
}

// onPostgres returns a database of PostgreSQL, on one connection whose round trips the counter counts, if there is one.
func onPostgres(t testing.TB, counter *wire.Counter) *database[pgx.Tx] {
	t.Helper()
	pool := connect(t, pgtest.New(t, schema(t, design.Options{})), counter)
	log, err := postgres.New()
	check(t, err)
	consumers, err := postgres.NewConsumers(pool)
	check(t, err)
	return inTransactions(t, pool, log, consumers)
}

// onLogs returns a database of PostgreSQL with many logs, of which the tests use one.
func onLogs(t testing.TB) *database[pgx.Tx] {
	t.Helper()
	pool := connect(t, pgtest.New(t, schema(t, design.Options{Logs: "tenant"})), nil)
	check(t, postgres.Check(t.Context(), pool, postgres.ManyLogs))
	logs, err := postgres.NewLogs()
	check(t, err)
	consumers, err := postgres.NewConsumers(pool, postgres.ManyLogs)
	check(t, err)
	return inTransactions(t, pool, logs.Of("tenant-7"), consumers)
}

// inTransactions returns a database whose calls are in transactions of the caller.
func inTransactions(t testing.TB, pool *pgxpool.Pool, log *postgres.Store[pgx.Tx], consumers consumer.Database[pgx.Tx]) *database[pgx.Tx] {
	t.Helper()
	keys, err := postgres.NewKeyStore()
	check(t, err)
	d := onPool[pgx.Tx](pool)
	d.log, d.keyStore, d.consumers = log, &countedKeys[pgx.Tx]{KeyStore: keys}, consumers
	d.try = func(ctx context.Context, work func(tx pgx.Tx) error) error { return pgx.BeginFunc(ctx, pool, work) }
	d.begin = func(t testing.TB) (pgx.Tx, func(), func()) {
		t.Helper()
		ctx := context.WithoutCancel(t.Context())
		tx, err := pool.Begin(ctx)
		check(t, err)
		return tx, func() { check(t, tx.Commit(ctx)) }, func() { _ = tx.Rollback(ctx) }
	}
	return d
}

// onGroup returns a database of PostgreSQL whose appends share commits. It has no consumers.
func onGroup(t testing.TB) *database[*postgres.Group] {
	t.Helper()
	pool := connect(t, pgtest.New(t, schema(t, design.Options{})), nil)
	group, err := postgres.NewGroup(pool)
	check(t, err)
	t.Cleanup(func() { check(t, group.Close(context.Background())) })
	keys, err := postgres.NewKeyStoreGroup()
	check(t, err)
	d := onPool[*postgres.Group](pool)
	d.log, d.keyStore = group, &countedKeys[*postgres.Group]{KeyStore: keys}
	d.begin = func(testing.TB) (*postgres.Group, func(), func()) { return group, func() {}, func() {} }
	return d
}

// onPool returns what databases of PostgreSQL have in common.
func onPool[Tx any](pool *pgxpool.Pool) *database[Tx] {
	inspector, err := postgres.NewInspector(pool)
	if err != nil {
		panic(err) // the configuration is the default one
	}
	return &database[Tx]{
		inspector: inspector, now: time.Now(), bytes: `'\x%x'`,
		exec: func(t testing.TB, statement string) {
			t.Helper()
			_, err := pool.Exec(t.Context(), statement)
			check(t, err)
		},
		dump:  func(t testing.TB) string { return copyTables(t, pool) },
		files: func(testing.TB) string { return "" }, // they are the server's; see TestPersonal_filesOfTheServer
	}
}

func connect(t testing.TB, address string, counter *wire.Counter) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(address)
	check(t, err)
	if counter != nil {
		config.MaxConns = 1
		config.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false } // which would be counted, after a second
		counter.Count(&config.ConnConfig.Config)
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	check(t, err)
	t.Cleanup(pool.Close)
	return pool
}

// hexBytes are bytes as COPY writes them.
var hexBytes = regexp.MustCompile(`\\\\x([0-9a-f]+)`)

// copyTables returns every row of every table, as pg_dump does, with bytes as they are.
func copyTables(t testing.TB, pool *pgxpool.Pool) string {
	t.Helper()
	names, err := pool.Query(t.Context(), "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1")
	check(t, err)
	tables, err := pgx.CollectRows(names, pgx.RowTo[string])
	check(t, err)
	conn, err := pool.Acquire(t.Context())
	check(t, err)
	defer conn.Release()
	var all bytes.Buffer
	for _, table := range tables {
		fmt.Fprintf(&all, "%s:\n", table)
		_, err := conn.Conn().PgConn().CopyTo(t.Context(), &all, "copy "+pgx.Identifier{table}.Sanitize()+" to stdout")
		check(t, err)
	}
	return hexBytes.ReplaceAllStringFunc(all.String(), func(found string) string {
		clear, err := hex.DecodeString(found[3:])
		check(t, err)
		return string(clear)
	})
}

// onSQLite returns a database in a file.
func onSQLite(t testing.TB) *database[*sql.Tx] {
	t.Helper()
	path := filepath.Join(t.TempDir(), "events.db")
	db, err := sqlite.Open(t.Context(), path)
	check(t, err)
	t.Cleanup(func() { _ = db.Close() })
	check(t, sqlite.Migrate(t.Context(), db))
	log, err := sqlite.New()
	check(t, err)
	keys, err := sqlite.NewKeyStore()
	check(t, err)
	consumers, err := sqlite.NewConsumers(db)
	check(t, err)
	inspector, err := sqlite.NewInspector(db)
	check(t, err)
	return &database[*sql.Tx]{
		inspector: inspector, log: log, keyStore: &countedKeys[*sql.Tx]{KeyStore: keys}, consumers: consumers, now: time.Now(), bytes: "x'%x'",
		try: func(ctx context.Context, work func(tx *sql.Tx) error) error {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			defer func() { _ = tx.Rollback() }() // after a commit it does nothing
			if err := work(tx); err != nil {
				return err
			}
			return tx.Commit()
		},
		begin: func(t testing.TB) (*sql.Tx, func(), func()) {
			t.Helper()
			tx, err := db.BeginTx(context.WithoutCancel(t.Context()), nil)
			check(t, err)
			return tx, func() { check(t, tx.Commit()) }, func() { _ = tx.Rollback() }
		},
		exec: func(t testing.TB, statement string) {
			t.Helper()
			_, err := db.ExecContext(t.Context(), statement)
			check(t, err)
		},
		dump:  func(t testing.TB) string { return dumpTables(t, db) },
		files: func(t testing.TB) string { return readFiles(t, path) },
	}
}

// onPostgresWithoutKeys and onSQLiteWithoutKeys return databases whose keys are in another one.

func onPostgresWithoutKeys(t testing.TB) *database[pgx.Tx] {
	t.Helper()
	d, rows := onPostgres(t, nil), schemaOf(t, design.Options{SubjectKeys: "only"})
	keys, err := postgres.NewKeyStore()
	check(t, err)
	d.keyStore.KeyStore = keys.In(connect(t, pgtest.New(t, rows), nil))
	d.exec(t, "drop table subject_keys")
	return d
}

func onSQLiteWithoutKeys(t testing.TB) *database[*sql.Tx] {
	t.Helper()
	d := onSQLite(t)
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "keys.db"))
	check(t, err)
	t.Cleanup(func() { _ = db.Close() })
	_, err = db.ExecContext(t.Context(), schemaOf(t, design.Options{Dialect: "sqlite", SubjectKeys: "only"}))
	check(t, err)
	keys, err := sqlite.NewKeyStore()
	check(t, err)
	d.keyStore.KeyStore = keys.In(db)
	d.exec(t, "drop table subject_keys")
	return d
}

// readFiles returns what is in the files of a database: the pages, the write-ahead log and its index.
func readFiles(t testing.TB, path string) string {
	t.Helper()
	names, err := filepath.Glob(path + "*")
	check(t, err)
	var all strings.Builder
	for _, name := range names {
		content, err := os.ReadFile(name)
		check(t, err)
		all.Write(content)
	}
	if !strings.Contains(all.String(), `"$sealed"`) {
		t.Fatalf("the search does not find what is stored in %v", names)
	}
	return all.String()
}

// dumpTables returns every row of every table.
func dumpTables(t testing.TB, db *sql.DB) string {
	t.Helper()
	var all strings.Builder
	for _, table := range rows(t, db, "select name from sqlite_master where type = 'table' order by name") {
		fmt.Fprintf(&all, "%s:\n%s\n", table, strings.Join(rows(t, db, `select * from "`+table+`"`), "\n"))
	}
	return all.String()
}

// rows returns the rows of a query as text.
func rows(t testing.TB, db *sql.DB, query string) (found []string) {
	t.Helper()
	result, err := db.QueryContext(t.Context(), query)
	check(t, err)
	defer func() { _ = result.Close() }()
	columns, err := result.Columns()
	check(t, err)
	for result.Next() {
		values, pointers := make([]sql.RawBytes, len(columns)), make([]any, len(columns))
		for i := range values {
			pointers[i] = &values[i]
		}
		check(t, result.Scan(pointers...))
		found = append(found, string(bytes.Join(rawBytes(values), []byte("\t"))))
	}
	check(t, result.Err())
	return found
}

func rawBytes(values []sql.RawBytes) [][]byte {
	all := make([][]byte, len(values))
	for i, v := range values {
		all[i] = v
	}
	return all
}
