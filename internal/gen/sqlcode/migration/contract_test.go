package migration_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime/postgres"
	"github.com/eventmap/eventmap/runtime/storetest"
)

// designs are schemas that a store has to work on as it does on the standard one, by a role that was granted what it
// needs and nothing else.
var designs = map[string]design.Options{
	"append-only": {Schema: "shop", Indexes: design.IndexNames, AppendOnly: true},
	"range":       {Schema: "shop", Partition: "range", PartitionSize: 50, Partitions: 3, AppendOnly: true},
	"hash":        {Schema: "shop", Partition: "hash", AppendOnly: true},
	"logs":        {Schema: "shop", Logs: "tenant", Indexes: design.IndexNames, AppendOnly: true},
	"partman":     {Schema: "My-Shop", Partition: "partman", PartitionSize: 50, Partitions: 3, PartmanSchema: "Part-Man"},
}

// without is what layouts do not promise, as their files say.
var without = map[string][]storetest.Ability{
	"hash": {storetest.DuplicatesElsewhere},
	"logs": {storetest.ConcurrentWriters},
}

func TestGenerate_theStoreKeepsItsContract(t *testing.T) {
	t.Parallel()
	for name, o := range designs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o.Snapshots = true
			pool := connectAs(t, &o)
			config := postgres.Config{EventsTable: o.Schema + ".events"}
			if o.Logs != "" {
				config.Layout, config.Log = postgres.ManyLogs, "tenant-7"
			}
			store, err := postgres.New(config)
			if err != nil {
				t.Fatal(err)
			}
			storetest.Run(t, storetest.Harness[pgx.Tx]{
				Store: store,
				Begin: func(ctx context.Context) (storetest.Transaction[pgx.Tx], error) {
					tx, err := pool.Begin(ctx)
					if err != nil {
						return storetest.Transaction[pgx.Tx]{}, err
					}
					return storetest.Transaction[pgx.Tx]{Tx: tx, Commit: tx.Commit, Rollback: tx.Rollback}, nil
				},
				Remove:  remover(pool.Config().ConnString(), pgx.Identifier{o.Schema, "events"}),
				Without: without[name],
			})
		})
	}
}

// remover returns how the suite takes events out of a stream: as the owner, past what keeps the log append-only.
func remover(address string, events pgx.Identifier) func(ctx context.Context, aggregateType, aggregateID string, from, to int64) error {
	return func(ctx context.Context, aggregateType, aggregateID string, from, to int64) error {
		owner, err := pgx.Connect(ctx, address)
		if err != nil {
			return err
		}
		defer func() { _ = owner.Close(ctx) }()
		if _, err := owner.Exec(ctx, `set session_replication_role = replica`); err != nil {
			return err
		}
		_, err = owner.Exec(ctx, `delete from `+events.Sanitize()+`
			where aggregate_type = $1 and aggregate_id = $2 and aggregate_version between $3 and $4`, aggregateType, aggregateID, from, to)
		return err
	}
}

// connectAs makes a database with the schema, and returns connections that have the rights of a role it is granted to,
// which goes with the test.
func connectAs(t *testing.T, o *design.Options) *pgxpool.Pool {
	t.Helper()
	address := pgtest.New(t)
	role := newRole(t, address)
	o.Grants = append(o.Grants, role)
	owner, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close(context.Background())
	if o.Partition == "partman" {
		needExtension(t, owner, "pg_partman")
	}
	if _, err := owner.Exec(t.Context(), string(generate(t, *o))); err != nil {
		t.Fatalf("run the SQL: %v", err)
	}
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = 32
	config.ConnConfig.RuntimeParams["role"] = role
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// newRole makes a role that goes with the test. Roles belong to the whole server, so it is named after the database.
func newRole(t *testing.T, address string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	role := "Role_" + strings.TrimPrefix(conn.Config().Database, "pgtest_")
	if _, err := conn.Exec(t.Context(), fmt.Sprintf(`create role %q`, role)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.Background()
		if _, err := conn.Exec(ctx, fmt.Sprintf(`drop owned by %[1]q; drop role %[1]q`, role)); err != nil {
			t.Errorf("role %s: %v", role, err)
		}
		_ = conn.Close(ctx)
	})
	return role
}
