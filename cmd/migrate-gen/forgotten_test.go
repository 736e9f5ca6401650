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

	"github.com/eventmap/eventmap/internal/cli"
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
