package postgres

import (
	"cmp"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/internal/pgname"
	"github.com/eventmap/eventmap/runtime"
)

//go:embed sql/check/*.sql
var checkFiles embed.FS

// Check compares a database with what a store of the same options needs, and returns nil or a [*runtime.CheckError] that holds
// everything that is wrong: missing tables, columns and keys, columns of another type, a sequence that hands out positions
// ahead of time or is behind the log, partitions that run out, rights that the role lacks, a server that is too old or a
// standby; and, with [WithRecord], migrations that were not run. Any other error means that it could not look. It changes nothing; call it when the application starts.
//
// db is a *pgxpool.Pool, a *pgx.Conn or a pgx.Tx; for database/sql there is [CheckSQL].
func Check(ctx context.Context, db interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}, opts ...Option) error {
	return check(ctx, func(ctx context.Context, q query) (rows, error) { return db.Query(ctx, q.sql, q.args...) }, opts)
}

// CheckSQL is [Check] for a *sql.DB, *sql.Conn or *sql.Tx of the driver pgx/v5/stdlib.
func CheckSQL(ctx context.Context, db interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}, opts ...Option) error {
	return check(ctx, sqlQuerier{db}.query, opts)
}

func check(ctx context.Context, run func(context.Context, query) (rows, error), opts []Option) error {
	return checkBy(ctx, run, opts, func(k *checker, c Config, t keyTables) []func() error {
		return []func() error{
			k.server, k.session, k.engine, k.events, k.heads,
			func() error { return k.snapshots(c.SnapshotsTable != "") },
			func() error { return k.keyTable(t, c.SubjectKeysTable != "") },
			func() error { return k.behind(t.events) },
			k.logs, k.streams,
			func() error { return k.record(c.Record) },
		}
	})
}

// checkBy takes the looks that a configuration calls for, and returns what they find.
func checkBy(ctx context.Context, run func(context.Context, query) (rows, error), opts []Option, looks func(*checker, Config, keyTables) []func() error) error {
	var c Config
	for _, o := range opts {
		o.apply(&c)
	}
	t, err := c.keyTables()
	if err != nil {
		return err
	}
	ct, err := c.consumerTables()
	if err != nil {
		return err
	}
	k := checker{ctx: ctx, run: run, tables: t.tables, checkpoints: ct.checkpoints, payload: cmp.Or(c.Payload, Bytea), collations: map[string]string{}}
	for _, look := range looks(&k, c, t) {
		if err := look(); err != nil {
			return fmt.Errorf("check the database: %w", err) // one is enough: a server that is away is so for all of them
		}
	}
	if len(k.problems) > 0 {
		return &runtime.CheckError{Problems: k.problems}
	}
	return nil
}

// A checker collects the problems of one database.
type checker struct {
	ctx     context.Context // for the length of one call of check
	run     func(context.Context, query) (rows, error)
	tables  tables
	payload PayloadType
	// checkpoints are those of consumers; the zero value where a store looks, which has none.
	checkpoints          pgname.Table
	last                 int64  // position that the sequence has reached
	floor                int64  // position below which the log is archived: the partitions begin behind it
	readable             bool   // the tables and the sequence are there and may be read
	strewn               bool   // the tables are distributed in a way in which they cannot be read together
	client, dates, bytes string // settings of the session: client_encoding, DateStyle and bytea_output
	// collations are those of the columns by their names, and mixed says that the two tables have different ones.
	collations map[string]string
	mixed      bool
	problems   []runtime.Problem
}

func (k *checker) problem(object, reason, remedy string) {
	k.problems = append(k.problems, runtime.Problem{Object: object, Reason: reason, Remedy: remedy})
}

// mend is problem for what one statement mends.
func (k *checker) mend(object, reason, statement string) {
	k.problems = append(k.problems, runtime.Problem{Object: object, Reason: reason, Remedy: statement, Statement: statement + ";"})
}

// migrate says which command makes what is missing.
func (k *checker) migrate() string {
	return "migrate it with the SQL that `migrate-gen" + k.tables.flags() + "` writes"
}

// each runs one of the embedded statements and calls row after each row was scanned into dest.
func (k *checker) each(file string, args, dest []any, row func()) error {
	text, err := checkFiles.ReadFile("sql/check/" + file)
	if err != nil {
		return err
	}
	return k.query(query{string(text), args}, dest, row)
}

// query runs a statement and calls row after each row was scanned into dest.
func (k *checker) query(q query, dest []any, row func()) error {
	r, err := k.run(k.ctx, q)
	if err != nil {
		return err
	}
	defer r.Close()
	for r.Next() {
		if err := r.Scan(dest...); err != nil {
			return err
		}
		row()
	}
	r.Close()
	return r.Err()
}

func (k *checker) server() error {
	var number int
	var version, isolation, encoding string
	var standby bool
	return k.each("server.sql", nil, []any{&number, &version, &standby, &isolation, &encoding, &k.client, &k.dates, &k.bytes}, func() {
		if number < 140000 {
			k.problem("server", "is PostgreSQL "+version, "use 14 or later")
		}
		if standby && !k.tables.areMany() {
			k.problem("server", "is a standby, which can neither append nor read the log", "connect to the primary")
		}
		if isolation != "read committed" && isolation != "read uncommitted" && !k.tables.areMany() {
			k.problem("default_transaction_isolation", "is "+isolation+", in which the log cannot be read",
				"leave it at read committed, or read the log in transactions that ask for that")
		}
		if encoding != "UTF8" {
			k.problem("database", "has the encoding "+encoding+", which cannot keep every text", "create it with the encoding UTF8")
		}
	})
}

func (k *checker) heads() error {
	t := k.tables.heads
	r, err := k.table(t, "select", "insert", "update", "delete")
	if err != nil || r == nil {
		k.readable = false
		return err
	}
	k.readable = k.readable && r.selects
	if r.kind != "r" {
		k.problem("table "+t.String(), "is no plain table: an append needs the system columns that only such a row has", k.migrate())
	}
	return errors.Join(k.columns(t, r, k.inLog(headColumns)), k.keys(t, r, key{k.keyOf("aggregate_type, aggregate_id"), t.PrimaryKey(), "primary key"}))
}

// snapshots checks the table of snapshots, which only domains with the mark snapshots have.
func (k *checker) snapshots(needed bool) error {
	t, find := k.tables.snapshots, k.find
	if needed {
		find = k.table
	}
	r, err := find(t, "select", "insert", "update", "delete")
	if err != nil || r == nil {
		return err
	}
	return errors.Join(k.columns(t, r, k.inLog(snapshotColumns)),
		k.keys(t, r, key{k.keyOf("aggregate_type, aggregate_id, fingerprint"), t.PrimaryKey(), "primary key"}))
}

func (k *checker) events() error {
	t := k.tables.events
	r, err := k.table(t, "select", "insert")
	if err != nil || r == nil {
		return err
	}
	if r.kind != "r" && r.kind != "p" {
		k.problem("table "+t.String(), "is no table", k.migrate())
	}
	if version, ok := pgname.ParseMarker(r.comment); ok && !version.Serves(pgname.SchemaVersion) {
		remedy := k.migrate()
		if version.Number > pgname.SchemaVersion {
			remedy = "deploy a release of the runtime that needs it"
		}
		k.problem("table "+t.String(), fmt.Sprintf("has schema version %d; this runtime needs %d", version.Number, pgname.SchemaVersion), remedy)
	}
	return errors.Join(
		k.columns(t, r, append(k.inLog([]column{
			{name: "payload", types: []string{string(k.payload)}, nullable: k.payload.isJSON()},
		}), k.eventColumns()...)),
		k.keys(t, r,
			key{k.keyOf("global_position"), t.PrimaryKey(), "primary key"},
			key{k.keyOf("aggregate_type, aggregate_id, aggregate_version"), t.StreamVersionKey(), "unique"},
			key{k.keyOf("event_id"), t.EventIDKey(), "unique"}),
		k.sequence(t, r),
		k.partitions(t, r),
		k.functions(t, r),
	)
}
