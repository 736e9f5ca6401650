package postgres_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime/postgres"
	"github.com/eventmap/eventmap/runtime/privacy"
	"github.com/eventmap/eventmap/runtime/privacy/keystest"
	"github.com/eventmap/eventmap/runtime/storetest"
)

// keysDatabase returns a database whose log has keys beside it.
func keysDatabase(t testing.TB) string {
	t.Helper()
	return pgtest.New(t, schema(t, design.Options{Snapshots: true, SubjectKeys: "here"}))
}

// ownTransactions returns transactions for stores whose calls are transactions of their own.
func ownTransactions[Tx any](tx Tx) func(context.Context) (storetest.Transaction[Tx], error) {
	none := func(context.Context) error { return nil }
	return func(context.Context) (storetest.Transaction[Tx], error) {
		return storetest.Transaction[Tx]{Tx: tx, Commit: none, Rollback: none}, nil
	}
}

var alone = []storetest.Ability{storetest.Transactions, storetest.ConcurrentWriters}

func TestKeyStore_contract(t *testing.T) {
	t.Parallel()
	t.Run("Citus", func(t *testing.T) {
		t.Parallel()
		layout := postgres.ManyLogs.OnCitus()
		pool := connect(t, citusDatabase(t, design.Options{Logs: "tenant", SubjectKeys: "here"}))
		snapshots := newStore(t, layout, postgres.WithLog("a"))
		keystest.Run(t, keystest.Harness[pgx.Tx]{Store: must(t)(postgres.NewKeyStore(layout)), Begin: beginPgx(pool), Snapshots: snapshots})
	})
	for name, m := range map[string]pgx.QueryExecMode{
		"cached statements": pgx.QueryExecModeCacheStatement,
		"simple protocol":   pgx.QueryExecModeSimpleProtocol,
	} {
		t.Run("pgx, "+name, func(t *testing.T) {
			t.Parallel()
			pool := connect(t, keysDatabase(t), mode(m))
			keystest.Run(t, keystest.Harness[pgx.Tx]{Store: must(t)(postgres.NewKeyStore()), Begin: beginPgx(pool), Snapshots: newStore(t)})
		})
		t.Run("database/sql, "+name, func(t *testing.T) {
			t.Parallel()
			db := connectSQL(t, keysDatabase(t), m)
			snapshots, err := postgres.NewSQL()
			if err != nil {
				t.Fatal(err)
			}
			store, err := postgres.NewKeyStoreSQL()
			if err != nil {
				t.Fatal(err)
			}
			keystest.Run(t, keystest.Harness[*sql.Tx]{Store: store, Begin: beginSQL(db), Snapshots: snapshots})
		})
	}
	t.Run("pool", func(t *testing.T) {
		t.Parallel()
		pool := connect(t, keysDatabase(t))
		store, err := postgres.NewKeyStorePool()
		if err != nil {
			t.Fatal(err)
		}
		keystest.Run(t, keystest.Harness[*pgxpool.Pool]{Store: store, Begin: usePool(pool), Snapshots: newPoolStore(t), Without: alone})
	})
	t.Run("group", func(t *testing.T) {
		t.Parallel()
		group, err := postgres.NewGroup(connect(t, keysDatabase(t)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = group.Close(context.Background()) })
		store, err := postgres.NewKeyStoreGroup()
		if err != nil {
			t.Fatal(err)
		}
		keystest.Run(t, keystest.Harness[*postgres.Group]{Store: store, Begin: ownTransactions(group), Snapshots: group, Without: alone})
	})
	t.Run("another database", func(t *testing.T) {
		t.Parallel()
		pool, keys := connect(t, database(t)), connect(t, pgtest.New(t, onlyKeys(t)))
		keystest.Run(t, keystest.Harness[pgx.Tx]{
			Store: must(t)(postgres.NewKeyStore()).In(keys), Begin: beginPgx(pool), Snapshots: newStore(t), Without: alone,
		})
	})
}

// onlyKeys returns the SQL of a database that has nothing but keys.
func onlyKeys(t testing.TB) string {
	t.Helper()
	text, err := migration.Schema(design.Options{SubjectKeys: "only"})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// must returns a function that fails the test for an error.
func must(t testing.TB) func(*postgres.KeyStore[pgx.Tx], error) *postgres.KeyStore[pgx.Tx] {
	return func(s *postgres.KeyStore[pgx.Tx], err error) *postgres.KeyStore[pgx.Tx] {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

// In REPEATABLE READ a transaction sees keys as they were when it began. What it reads is not cached, so that it cannot keep
// what was forgotten meanwhile for others.
func TestKeyStore_repeatableRead(t *testing.T) {
	t.Parallel()
	pool := connect(t, keysDatabase(t))
	store := must(t)(postgres.NewKeyStore())
	keys, other := privacy.NewKeys(store, localWrapper(t)), privacy.NewKeys(store, localWrapper(t))
	place := privacy.Place{AggregateType: "A", AggregateID: "1", EventType: "E", EventVersion: 1, Field: "f"}
	var value privacy.Sealed
	inTx(t, pool, func(tx pgx.Tx) {
		ring, err := keys.ForSubjects(t.Context(), tx, "ada")
		if err != nil {
			t.Fatal(err)
		}
		if value, err = ring.Seal(place, "ada", []byte("1")); err != nil {
			t.Fatal(err)
		}
	})
	old := begin(t, pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	execute(t, old, "select 1 from events") // its snapshot
	inTx(t, pool, func(tx pgx.Tx) {
		if err := other.Forget(t.Context(), tx, "ada"); err != nil {
			t.Fatal(err)
		}
	})
	erased := func(tx pgx.Tx) bool {
		ring, err := keys.ByID(t.Context(), tx, value.KeyID())
		if err != nil {
			t.Fatal(err)
		}
		_, erased, err := ring.Open(place, value)
		if err != nil {
			t.Fatal(err)
		}
		return erased
	}
	if erased(old) {
		t.Error("the old transaction sees what was forgotten after it began")
	}
	inTx(t, pool, func(tx pgx.Tx) {
		if !erased(tx) {
			t.Error("what an old transaction read was cached for a new one")
		}
	})
}

// What is wrong with the table is said with what to do about it.
func TestKeyStore_errors(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		options []postgres.Option
		spoil   string
		want    string
	}{
		"missing": {options: []postgres.Option{postgres.WithSubjectKeysTable("secret.keys")}, want: "run the SQL that `migrate-gen --subject-keys here --subject-keys-table secret.keys` writes"},
		"trigger": {spoil: `create function nothing() returns trigger language plpgsql as 'begin return null; end';
			create trigger nothing before insert on subject_keys for each row execute function nothing()`, want: "a trigger, rule or policy may keep it out"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := connect(t, keysDatabase(t))
			executeAll(t, pool, tt.spoil)
			keys := privacy.NewKeys(must(t)(postgres.NewKeyStore(tt.options...)), localWrapper(t))
			_, err := keys.ForSubjects(t.Context(), begin(t, pool), "ada")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want one that says %q", err, tt.want)
			}
		})
	}
}

// An application may make keys and read them. Only who is granted it may erase them.
func TestKeyStore_rights(t *testing.T) {
	t.Parallel()
	address := pgtest.New(t)
	owner := connect(t, address)
	application, officer := roleFor(t, owner, "app"), roleFor(t, owner, "dpo")
	executeAll(t, owner, schema(t, design.Options{
		Schema: "shop", Snapshots: true, SubjectKeys: "here", Grants: []string{application}, ForgetGrants: []string{officer},
	}))
	store := must(t)(postgres.NewKeyStore(postgres.WithEventsTable("shop.events")))
	keys := privacy.NewKeys(store, localWrapper(t))
	as := func(role string) *pgxpool.Pool {
		return connect(t, address, func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams["role"] = role })
	}
	inTx(t, as(application), func(tx pgx.Tx) {
		if _, err := keys.ForSubjects(t.Context(), tx, "ada"); err != nil {
			t.Errorf("the application makes a key: %v", err)
		}
	})
	err := keys.Forget(t.Context(), begin(t, as(application)), "ada")
	if err == nil || !strings.Contains(err.Error(), "the role needs select, insert and update on shop.subject_keys") {
		t.Errorf("the application forgets: %v", err)
	}
	inTx(t, as(officer), func(tx pgx.Tx) {
		if err := keys.Forget(t.Context(), tx, "ada", "bob"); err != nil {
			t.Errorf("the officer forgets: %v", err)
		}
	})
}

func TestCheck_subjectKeys(t *testing.T) {
	t.Parallel()
	if err := postgres.Check(t.Context(), connect(t, database(t))); err != nil {
		t.Errorf("a store without personal data: %v", err)
	}
	err := postgres.Check(t.Context(), connect(t, database(t)), postgres.WithSubjectKeysTable("subject_keys"))
	if err == nil || !strings.Contains(err.Error(), "table subject_keys is missing") {
		t.Errorf("without the table the error is %v", err)
	}
	pool := connect(t, keysDatabase(t))
	if err := postgres.Check(t.Context(), pool); err != nil {
		t.Errorf("as migrate-gen made it: %v", err)
	}
	executeAll(t, pool, "alter table subject_keys drop constraint subject_keys_subject_generation_key, drop column wrapped_by")
	err = postgres.Check(t.Context(), pool)
	if err == nil || !strings.Contains(err.Error(), "wrapped_by") || !strings.Contains(err.Error(), "no unique key on (subject, generation)") {
		t.Errorf("with a table that was changed the error is %v", err)
	}
}

// localWrapper returns the wrapper of these tests.
func localWrapper(t testing.TB) privacy.KeyWrapper {
	t.Helper()
	w, err := privacy.NewLocalWrapper([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// inTx runs do in a transaction and commits it.
func inTx(t testing.TB, pool *pgxpool.Pool, do func(tx pgx.Tx)) {
	t.Helper()
	tx := begin(t, pool)
	do(tx)
	commit(t, tx)
}

// roleFor makes a role that goes with the test. Roles belong to the whole server, so it is named after the database.
func roleFor(t testing.TB, owner *pgxpool.Pool, suffix string) string {
	t.Helper()
	role := owner.Config().ConnConfig.Database + "_" + suffix
	quoted := pgx.Identifier{role}.Sanitize()
	execute(t, owner, "create role "+quoted)
	t.Cleanup(func() {
		for _, statement := range []string{"drop owned by " + quoted, "drop role " + quoted} {
			if _, err := owner.Exec(context.Background(), statement); err != nil {
				t.Errorf("%s: %v", statement, err)
			}
		}
	})
	return role
}
