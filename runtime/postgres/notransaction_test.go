package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
	"github.com/eventmap/eventmap/runtime/privacy"
)

// TestStore_withoutATransaction has the calls that every store of ours takes.
func TestSnapshotsKeysAndLogs_withoutATransaction(t *testing.T) {
	t.Parallel()
	store, err := postgres.New()
	wantNilIsError[pgx.Tx](t, "pgx.Tx", store, err, nil)
	wantNilIsError[pgx.Tx](t, "*pgxpool.Tx", store, err, (*pgxpool.Tx)(nil))
	storeSQL, err := postgres.NewSQL()
	wantNilIsError(t, "*sql.Tx", storeSQL, err, (*sql.Tx)(nil))
	pool, err := postgres.NewPool()
	wantNilIsError(t, "*pgxpool.Pool", pool, err, (*pgxpool.Pool)(nil))

	keys, err := postgres.NewKeyStore()
	wantNilKeysAreErrors(t, "pgx.Tx", keys, err)
	keysSQL, err := postgres.NewKeyStoreSQL()
	wantNilKeysAreErrors(t, "*sql.Tx", keysSQL, err)
	keysPool, err := postgres.NewKeyStorePool()
	wantNilKeysAreErrors(t, "*pgxpool.Pool", keysPool, err)

	logs, err := postgres.NewLogs()
	wantNilLogsAreErrors(t, "pgx.Tx", logs, err)
	logsSQL, err := postgres.NewLogsSQL()
	wantNilLogsAreErrors(t, "*sql.Tx", logsSQL, err)
	logsPool, err := postgres.NewLogsPool()
	wantNilLogsAreErrors(t, "*pgxpool.Pool", logsPool, err)
}

// wantNoTransaction wants each call to say that there is no transaction.
func wantNoTransaction(t *testing.T, of string, calls map[string]func(ctx context.Context) error) {
	t.Helper()
	for name, call := range calls {
		t.Run(of+" "+name, func(t *testing.T) {
			t.Parallel()
			var invalid *runtime.InvalidEventError
			if err := call(t.Context()); !errors.As(err, &invalid) || invalid.Field != "tx" {
				t.Errorf("error is %v, want one that says that tx is nil", err)
			}
		})
	}
}

func wantNilIsError[Tx any](t *testing.T, of string, store *postgres.Store[Tx], err error, tx Tx) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	key := runtime.SnapshotKey{AggregateType: "Order", AggregateID: "1", Fingerprint: "f"}
	wantNoTransaction(t, of, map[string]func(ctx context.Context) error{
		"ReadStreams": func(ctx context.Context) error {
			_, err := store.ReadStreams(ctx, tx, runtime.StreamRead{SnapshotKey: key})
			return err
		},
		"ReadFromSnapshot": func(ctx context.Context) error {
			_, _, err := store.ReadFromSnapshot(ctx, tx, key)
			return err
		},
		"SaveSnapshot": func(ctx context.Context) error {
			return store.SaveSnapshot(ctx, tx, key, runtime.Snapshot{Version: 1, State: []byte("{}")})
		},
		"DropSnapshots": func(ctx context.Context) error {
			_, err := store.DropSnapshots(ctx, tx, runtime.SnapshotQuery{})
			return err
		},
	})
}

func wantNilKeysAreErrors[Tx any](t *testing.T, of string, keys *postgres.KeyStore[Tx], err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var tx Tx
	stored := []privacy.StoredKey{{KeyID: uuid.New(), Subject: "s", Generation: 1, Wrapped: []byte("w"), WrappedBy: "b"}}
	wantNoTransaction(t, of, map[string]func(ctx context.Context) error{
		"MakeKeys": func(ctx context.Context) error {
			_, err := keys.MakeKeys(ctx, tx, stored, false)
			return err
		},
		"FindKeys": func(ctx context.Context) error {
			_, err := keys.FindKeys(ctx, tx, privacy.KeyQuery{Subjects: []string{"s"}})
			return err
		},
		"ForgetKeys": func(ctx context.Context) error { return keys.ForgetKeys(ctx, tx, stored) },
		"RewrapKeys": func(ctx context.Context) error { return keys.RewrapKeys(ctx, tx, stored) },
	})
}

func wantNilLogsAreErrors[Tx any](t *testing.T, of string, logs *postgres.Logs[Tx], err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var tx Tx
	wantNoTransaction(t, of, map[string]func(ctx context.Context) error{
		"List": func(ctx context.Context) error {
			_, err := logs.List(ctx, tx, "", 1)
			return err
		},
		"Create": func(ctx context.Context) error { return logs.Create(ctx, tx, "a") },
		"Drop":   func(ctx context.Context) error { return logs.Drop(ctx, tx, "a") },
		"AppendStreams of logs": func(ctx context.Context) error {
			_, err := logs.AppendStreams(ctx, tx, postgres.LogAppend{Log: "a", StreamAppend: runtime.StreamAppend{Events: placed("1", 1)}})
			return err
		},
	})
}
