package personal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
	"github.com/eventmap/eventmap/runtime/postgres/internal/personal/domain/transfer"
	store "github.com/eventmap/eventmap/runtime/postgres/internal/personal/personalstore"
	"github.com/eventmap/eventmap/runtime/privacy"
)

// ownServer returns a server of the test's own and the pool of a database on it with the given tables.
func ownServer(t *testing.T, tables string, options ...pgtest.Option) (*pgtest.Server, *pgxpool.Pool) {
	t.Helper()
	server, err := pgtest.Launch(options...)
	check(t, err)
	t.Cleanup(func() { _ = server.Close() })
	admin, err := pgx.Connect(t.Context(), server.URL("postgres"))
	check(t, err)
	_, err = admin.Exec(t.Context(), "create database personal")
	check(t, err)
	check(t, admin.Close(t.Context()))
	pool := connect(t, server.URL("personal"), nil)
	_, err = pool.Exec(t.Context(), tables)
	check(t, err)
	return server, pool
}

// Nothing personal ever reaches the server's files: not the tables, the write-ahead log, or the log of the server, where every
// statement is with its parameters. What is not personal is found there, so the search is one that finds.
func TestPersonal_filesOfTheServer(t *testing.T) {
	t.Parallel()
	server, pool := ownServer(t, schema(t, design.Options{}), pgtest.Setting("log_statement", "all"), pgtest.Setting("log_min_messages", "debug1"))
	if server.DataDir() == "" {
		t.Skip("the server runs in a container, whose files cannot be read from here")
	}
	log, err := postgres.New()
	check(t, err)
	d := inTransactions(t, pool, log, nil)
	p := d.process()
	labelled := made("ada", 7)
	labelled.Labels = map[string]string{"plain": "label-PLAIN"}
	p.give(t, "t", labelled, transfer.Corrected{To: 7, Note: "note-SECRET"})
	p.in(t, func(tx pgx.Tx) {
		_, err := p.transfers.Execute(t.Context(), tx, "t", func(transfer.Transfer) ([]store.TransferEvent, error) {
			return []store.TransferEvent{transfer.Checked{}}, nil
		})
		check(t, err)
	})
	p.forget(t, "ada")
	d.exec(t, "vacuum")
	d.exec(t, "checkpoint")
	check(t, server.Stop())
	folders := map[string]bool{}
	err = filepath.WalkDir(server.DataDir(), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, clear := range []string{secret, "534543524554"} { // as text, and as bytes are in the server's log
			if bytes.Contains(content, []byte(clear)) {
				t.Errorf("%s holds %s in clear", path, clear)
			}
		}
		if bytes.Contains(content, []byte("label-PLAIN")) {
			top, _, _ := strings.Cut(strings.TrimPrefix(path, server.DataDir()+"/"), "/")
			folders[top] = true
		}
		return nil
	})
	check(t, err)
	if !folders["base"] || !folders["pg_wal"] {
		t.Errorf("the search finds what is in clear in %v only", folders)
	}
	said, err := server.Log()
	check(t, err)
	if strings.Contains(said, secret) || !strings.Contains(said, "eventmap") {
		t.Errorf("the log of the server holds what it should not, or nothing of the store:\n%.2000s", said)
	}
}

// Keys in a database that goes down and comes back: every call fails with an error that says so or does what it should, nothing
// is taken for erased, and to call it again is enough.
func TestPersonal_databaseOfKeysIsAway(t *testing.T) {
	t.Parallel()
	only, err := migration.Schema(design.Options{SubjectKeys: "only"})
	check(t, err)
	server, keysPool := ownServer(t, only)
	pool := connect(t, pgtest.New(t, func() string {
		text, err := migration.Schema(design.Options{Snapshots: true, SubjectKeys: "elsewhere"})
		check(t, err)
		return text
	}()), nil)
	check(t, postgres.CheckKeys(t.Context(), keysPool))
	log, err := postgres.New()
	check(t, err)
	d := inTransactions(t, pool, log, nil)
	rows, err := postgres.NewKeyStore()
	check(t, err)
	d.keyStore.KeyStore = rows.In(keysPool)
	p := d.process()
	p.give(t, "t", made("ada", 7), made("eve", 8))

	check(t, server.StopImmediate())
	calls := map[string]func(ctx context.Context, p *process[pgx.Tx], tx pgx.Tx) error{
		"read": func(ctx context.Context, p *process[pgx.Tx], tx pgx.Tx) error {
			_, err := p.transfers.Read(ctx, tx, "t")
			return err
		},
		"forget": func(ctx context.Context, p *process[pgx.Tx], tx pgx.Tx) error { return p.keys.Forget(ctx, tx, "eve") },
		"readmit": func(ctx context.Context, p *process[pgx.Tx], tx pgx.Tx) error {
			return p.keys.Readmit(ctx, tx, "nobody")
		},
		"rewrap": func(ctx context.Context, p *process[pgx.Tx], tx pgx.Tx) error {
			_, err := p.keys.Rewrap(ctx, tx, 10)
			return err
		},
		"append": func(ctx context.Context, p *process[pgx.Tx], tx pgx.Tx) error {
			_, err := p.transfers.Append(ctx, tx, "u", runtime.Any(), []store.TransferEvent{made("new", 9)})
			return err
		},
		"export": func(ctx context.Context, p *process[pgx.Tx], tx pgx.Tx) error {
			for _, err := range p.keys.Export(ctx, tx, d.log, "ada", func(ctx context.Context, tx pgx.Tx, keys *privacy.Keys[pgx.Tx], e *runtime.PersistedEvent) (any, error) {
				return store.FromESEvent(ctx, tx, keys, *e)
			}) {
				return err
			}
			return nil
		},
	}
	attempt := func(call string) (err error) {
		d.in(t, func(tx pgx.Tx) { err = calls[call](t.Context(), d.process(), tx) }) // the log's transaction stays usable
		return err
	}
	for call := range calls {
		if err := attempt(call); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s while the database of keys is away: %v", call, err)
		}
	}
	check(t, server.Start())
	for call := range calls {
		deadline := time.Now().Add(time.Minute)
		err := attempt(call)
		for err != nil && time.Now().Before(deadline) { // a pool has dead connections at first
			err = attempt(call)
		}
		if err != nil {
			t.Errorf("%s when it is back: %v", call, err)
		}
	}
	events := d.process().read(t, "t").Events
	equal(t, "kept", store.TransferEvent(made("ada", 7)), events[0].Event)
	equal(t, "forgotten", "(removed)", events[1].Event.(transfer.Made).Name)
	if n := len(d.process().read(t, "u").Events); n == 0 {
		t.Error("nothing was appended")
	}
}

// A rotation of the wrapping key whose server, context and key management service go away in the middle is run again: it goes on
// with what is left, and at the end nothing needs the old wrapper. What wrappedBy counts is what docs/privacy.md says to look at.
func TestPersonal_rotationThatIsKilled(t *testing.T) {
	t.Parallel()
	const subjects, step = 300, 20
	server, pool := ownServer(t, schema(t, design.Options{}))
	rows, err := postgres.NewKeyStore()
	check(t, err)
	old, err := privacy.NewLocalWrapper([]byte(strings.Repeat("o", 32)))
	check(t, err)
	log, err := postgres.New()
	check(t, err)
	d := inTransactions(t, pool, log, nil)
	events := make([]store.TransferEvent, subjects)
	for i := range events {
		events[i] = made(fmt.Sprint("from-", i), transfer.Recipient(i))
	}
	before := store.NewTransferStore(d.log, privacy.NewKeys(rows, old, privacy.WithWrapperName("kms-2026")))
	d.in(t, func(tx pgx.Tx) {
		_, err := before.Append(t.Context(), tx, "t", runtime.Any(), events)
		check(t, err)
	})
	wrappedBy := func() map[string]int {
		counted, err := pool.Query(t.Context(), "select wrapped_by, count(*) from subject_keys where wrapped is not null group by wrapped_by")
		check(t, err)
		counts := map[string]int{}
		var name string
		var n int
		_, err = pgx.ForEachRow(counted, []any{&name, &n}, func() error { counts[name] = n; return nil })
		check(t, err)
		return counts
	}
	service := &away{localWrapper(), 0}
	rotating := privacy.NewKeys(rows, service, privacy.WithWrapperName("kms-2027"), privacy.WithOldWrapper("kms-2026", old))
	rotate := func(ctx context.Context, during func()) (n int, err error) {
		err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			if n, err = rotating.Rewrap(ctx, tx, step); err == nil {
				during()
			}
			return err
		})
		return n, err
	}
	nothing := func() {}
	left := 2 * subjects
	goesOn := func(what string) {
		t.Helper()
		n, err := rotate(t.Context(), nothing)
		check(t, err)
		left -= n
		want := map[string]int{"kms-2026": left, "kms-2027": 2*subjects - left}
		equal(t, "after "+what, want, wrappedBy())
	}
	service.failures = 1
	if _, err := rotate(t.Context(), nothing); !errors.Is(err, privacy.ErrUnavailable) {
		t.Errorf("without the service: %v", err)
	}
	goesOn("the service was away")
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := rotate(ctx, cancel); err == nil {
		t.Error("a context that is cancelled ends nothing")
	}
	goesOn("the context was cancelled")
	if _, err := rotate(t.Context(), func() { check(t, server.StopImmediate()) }); err == nil {
		t.Error("a server that is killed ends nothing")
	}
	check(t, server.Start())
	pool.Reset()
	goesOn("the server was killed")
	for n := 1; n > 0; {
		n, err = rotate(t.Context(), nothing)
		check(t, err)
	}
	equal(t, "at the end", map[string]int{"kms-2027": 2 * subjects}, wrappedBy())
	after := store.NewTransferStore(d.log, privacy.NewKeys(rows, localWrapper(), privacy.WithWrapperName("kms-2027")))
	d.in(t, func(tx pgx.Tx) {
		stream, err := after.Read(t.Context(), tx, "t")
		check(t, err)
		for i, e := range stream.Events {
			equal(t, "event", events[i], e.Event)
		}
	})
}
