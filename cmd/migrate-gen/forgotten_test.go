package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/cli"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime/postgres"
	"github.com/eventmap/eventmap/runtime/privacy"
)

// A backup that was restored has the keys again. The doctor says so by the list that was kept apart, and its statements erase
// them again, and nothing else.
func TestDoctor_forgotten(t *testing.T) {
	t.Parallel()
	flags := []string{"--schema=shop", "--snapshots", "--subject-keys=here"}
	dsn := migrated(t, flags)
	conn := connect(t, dsn)
	store, err := postgres.NewKeyStore(postgres.WithEventsTable("shop.events"))
	if err != nil {
		t.Fatal(err)
	}
	wrapper, err := privacy.NewLocalWrapper(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	keys := privacy.NewKeys(store, wrapper)
	inTx := func(do func(tx pgx.Tx) error) {
		t.Helper()
		if err := pgx.BeginFunc(t.Context(), conn, do); err != nil {
			t.Fatal(err)
		}
	}
	inTx(func(tx pgx.Tx) error {
		_, err := keys.ForSubjects(t.Context(), tx, "o'hara", "back", "kept")
		return err
	})
	execute(t, conn, `create table backup as select * from shop.subject_keys`)
	inTx(func(tx pgx.Tx) error { return keys.Forget(t.Context(), tx, "o'hara", "back", "later") })
	inTx(func(tx pgx.Tx) error { return keys.Readmit(t.Context(), tx, "back") })
	var list strings.Builder
	inTx(func(tx pgx.Tx) error {
		for f, err := range keys.ForgottenSubjects(t.Context(), tx) {
			if err != nil {
				return err
			}
			if err := json.NewEncoder(&list).Encode(f); err != nil {
				return err
			}
		}
		return nil
	})
	file := filepath.Join(t.TempDir(), "forgotten.jsonl")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(list.String())
	flags = append(flags, "--forgotten", file)
	if report, found := examined(t, dsn, flags); found != nil {
		t.Errorf("before the restore: %s", report)
	}
	execute(t, conn, `delete from shop.subject_keys where generation = 1; insert into shop.subject_keys select * from backup`)
	report, found := examined(t, dsn, flags)
	if len(found) != 3 || strings.Count(report, "is there, and the list says that it was forgotten") != 2 || strings.Count(report, "is not known") != 1 {
		t.Errorf("after the restore: %s", report)
	}
	execute(t, conn, report)
	if report, found := examined(t, dsn, flags); found != nil {
		t.Errorf("after mending: %s", report)
	}
	rows, err := conn.Query(t.Context(), "select subject || ' ' || generation from shop.subject_keys where wrapped is not null order by 1")
	if err != nil {
		t.Fatal(err)
	}
	left, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if diff := cmp.Diff([]string{"back 2", "kept 1"}, left); diff != "" || err != nil {
		t.Errorf("keys that are left (-want +got), %v:\n%s", err, diff)
	}
	for text, want := range map[string]string{
		"{": "entry 1: unexpected EOF", `{"subject":"a"}`: "entry 1 has no subject, key_id or generation", `{"name":"a"}`: `unknown field "name"`,
	} {
		write(text)
		var stdout, stderr strings.Builder
		code := command(&stdout, &stderr, append([]string{"--doctor", "--dsn", dsn}, flags...)...)
		if code != cli.Trouble || !strings.Contains(stderr.String(), want) {
			t.Errorf("a list of %s: code %d, %s", text, code, stderr.String())
		}
	}
	var stdout, stderr strings.Builder
	if code := command(&stdout, &stderr, "--doctor", "--dsn", dsn, "--schema=shop", "--forgotten", file); code != cli.Trouble {
		t.Errorf("without a table of keys: code %d, %s", code, stderr.String())
	}
}

// A restored database that has nothing but keys is compared in the same way.
func TestDoctor_onlyKeys(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	conn := connect(t, dsn)
	flags := []string{"--subject-keys=only", "--subject-keys-table=secret.keys"}
	diagnosed := func(more ...string) (string, int) {
		t.Helper()
		var stdout, stderr strings.Builder
		code := command(&stdout, &stderr, append(append([]string{"--doctor", "--dsn", dsn}, flags...), more...)...)
		return stdout.String() + stderr.String(), code
	}
	if said, code := diagnosed(); code != cli.Different || !strings.Contains(said, "--- table secret.keys is missing") || strings.Contains(said, "events") {
		t.Errorf("an empty database: code %d, %s", code, said)
	}
	var printed, stderr strings.Builder
	if code := command(&printed, &stderr, append([]string{"--output", "-"}, flags...)...); code != cli.Done {
		t.Fatal(stderr.String())
	}
	execute(t, conn, printed.String())
	if said, code := diagnosed(); code != cli.Done {
		t.Errorf("as it was made: code %d, %s", code, said)
	}
	store, err := postgres.NewKeyStorePool(postgres.WithSubjectKeysTable("secret.keys"))
	if err != nil {
		t.Fatal(err)
	}
	wrapper, err := privacy.NewLocalWrapper(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	pool, err := pgxpool.New(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	ring, err := privacy.NewKeys(store, wrapper).ForSubjects(t.Context(), pool, "ada")
	if err != nil {
		t.Fatal(err)
	}
	value, err := ring.Seal(privacy.Place{}, "ada", nil)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "forgotten.jsonl")
	entry := privacy.ForgottenSubject{Subject: "ada", KeyID: value.KeyID(), Generation: 1}
	text, err := json.Marshal(entry)
	if err == nil {
		err = os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	said, code := diagnosed("--forgotten", file)
	if code != cli.Different || !strings.Contains(said, `of subject "ada" is there, and the list says that it was forgotten`) || strings.Contains(said, "snapshots") {
		t.Errorf("a key that rose from the dead: code %d, %s", code, said)
	}
	execute(t, conn, said)
	if said, code := diagnosed("--forgotten", file); code != cli.Done {
		t.Errorf("after mending: code %d, %s", code, said)
	}
	execute(t, conn, "alter table secret.keys drop column wrapped_by")
	if said, code := diagnosed(); code != cli.Different || !strings.Contains(said, "wrapped_by") {
		t.Errorf("without a column: code %d, %s", code, said)
	}
	if said, code := diagnosed("--deep"); code != cli.Trouble || !strings.Contains(said, "--deep reads a log") {
		t.Errorf("--deep: code %d, %s", code, said)
	}
}
