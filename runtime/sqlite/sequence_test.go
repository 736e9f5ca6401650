package sqlite_test

import (
	"database/sql"
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/privacy"
	"github.com/eventmap/eventmap/runtime/sqlite"
)

// A copy of the tables to another file leaves the sequence behind, unless sqlite_sequence is copied too.
func TestStore_sequenceBehindTheLog(t *testing.T) {
	t.Parallel()
	for _, damage := range []string{
		"delete from sqlite_sequence where name = 'events'",
		"update sqlite_sequence set seq = 3 where name = 'events'",
		"delete from events where global_position < 9; update sqlite_sequence set seq = 3 where name = 'events'",
	} {
		t.Run(damage, func(t *testing.T) {
			t.Parallel()
			db, store := migrated(t, inFile(t), sqlite.Config{}), newStore(t, sqlite.Config{})
			inTransaction(t, db, func(tx *sql.Tx) {
				if _, err := store.Append(t.Context(), tx, runtime.NoStream(), placed("1", 9)); err != nil {
					t.Fatal(err)
				}
			})
			execute(t, db, damage)
			consumers, err := sqlite.NewConsumers(db)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := consumers.Poll(t.Context(), []string{"reader"}); !errors.Is(err, sqlite.ErrSequenceBehind) {
				t.Errorf("a consumer's next poll: error is %v, want %v", err, sqlite.ErrSequenceBehind)
			}
			inTransaction(t, db, func(tx *sql.Tx) {
				_, appendErr := store.Append(t.Context(), tx, runtime.NoStream(), placed(newStream(), 1))
				_, streamsErr := store.AppendStreams(t.Context(), tx, runtime.StreamAppend{Events: placed(newStream(), 1)})
				_, readErr := store.ReadEvents(t.Context(), tx, 0, 10)
				_, safeErr := store.SafeGlobalPosition(t.Context(), tx)
				for call, err := range map[string]error{"Append": appendErr, "AppendStreams": streamsErr, "ReadEvents": readErr, "SafeGlobalPosition": safeErr} {
					if !errors.Is(err, sqlite.ErrSequenceBehind) {
						t.Errorf("%s: error is %v, want %v", call, err, sqlite.ErrSequenceBehind)
					}
				}
			})
			var found *runtime.CheckError
			if err := sqlite.Check(t.Context(), db); !errors.As(err, &found) || found.Problems[0].Object != "sequence of events" {
				t.Fatalf("Check: error is %v, want a problem with the sequence", err)
			}
			execute(t, db, found.Problems[0].Statement)
			inTransaction(t, db, func(tx *sql.Tx) {
				r, err := store.Append(t.Context(), tx, runtime.NoStream(), placed(newStream(), 1))
				if err != nil || r.GlobalPositions[0] != 10 {
					t.Errorf("after the statement: positions %v, error %v; want 10", r.GlobalPositions, err)
				}
			})
		})
	}
}

func inTransaction(t *testing.T, db *sql.DB, do func(tx *sql.Tx)) {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	do(tx)
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

func TestCheck_streams(t *testing.T) {
	t.Parallel()
	for says, damage := range map[string]string{
		"":                         "",
		"lacks versions":           "delete from events where aggregate_id = '2' and aggregate_version = 4",
		"lacks its first versions": "delete from events where aggregate_id = '2' and aggregate_version < 4",
		"at a lower position than": "update events set aggregate_version = 110 - aggregate_version where aggregate_id = '2'; update events set aggregate_version = aggregate_version - 100 where aggregate_id = '2'",
	} {
		t.Run(says, func(t *testing.T) {
			t.Parallel()
			db, store := migrated(t, inFile(t), sqlite.Config{}), newStore(t, sqlite.Config{})
			for _, id := range []string{"1", "2", "3"} {
				inTransaction(t, db, func(tx *sql.Tx) {
					if _, err := store.Append(t.Context(), tx, runtime.NoStream(), placed(id, 9)); err != nil {
						t.Fatal(err)
					}
				})
			}
			if damage != "" {
				execute(t, db, damage)
			}
			err := sqlite.Check(t.Context(), db)
			if says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), `stream Order "2" `) || !strings.Contains(err.Error(), says)) {
				t.Errorf("Check: error is %v, want %q", err, says)
			}
		})
	}
}

func TestStore_withoutATransaction(t *testing.T) {
	t.Parallel()
	store := newStore(t, sqlite.Config{})
	_, appendErr := store.Append(t.Context(), nil, runtime.NoStream(), placed("1", 1))
	_, streamsErr := store.AppendStreams(t.Context(), nil, runtime.StreamAppend{Events: placed("1", 1)})
	_, streamErr := store.ReadAggregateStream(t.Context(), nil, "Order", "1", nil, nil)
	_, readErr := store.ReadEvents(t.Context(), nil, 0, 1)
	_, safeErr := store.SafeGlobalPosition(t.Context(), nil)
	_, latestErr := store.GetLatestGlobalPosition(t.Context(), nil)
	key := runtime.SnapshotKey{AggregateType: "Order", AggregateID: "1", Fingerprint: "f"}
	_, readsErr := store.ReadStreams(t.Context(), nil, runtime.StreamRead{SnapshotKey: key})
	_, _, snapshotErr := store.ReadFromSnapshot(t.Context(), nil, key)
	saveErr := store.SaveSnapshot(t.Context(), nil, key, runtime.Snapshot{Version: 1, State: []byte("{}")})
	_, dropErr := store.DropSnapshots(t.Context(), nil, runtime.SnapshotQuery{})
	keys, err := sqlite.NewKeyStore()
	if err != nil {
		t.Fatal(err)
	}
	stored := []privacy.StoredKey{{KeyID: uuid.New(), Subject: "s", Generation: 1, Wrapped: []byte("w"), WrappedBy: "b"}}
	_, makeErr := keys.MakeKeys(t.Context(), nil, stored, false)
	_, findErr := keys.FindKeys(t.Context(), nil, privacy.KeyQuery{Subjects: []string{"s"}})
	forgetErr := keys.ForgetKeys(t.Context(), nil, stored)
	rewrapErr := keys.RewrapKeys(t.Context(), nil, stored)
	var iterateErr, logErr error
	for _, iterateErr = range store.StreamEvents(t.Context(), nil, "Order", "1", runtime.StreamQuery{}) {
		break
	}
	for _, logErr = range store.LogEvents(t.Context(), nil, runtime.LogQuery{}) {
		break
	}
	for i, err := range []error{
		appendErr, streamsErr, streamErr, readErr, safeErr, latestErr, iterateErr, logErr,
		readsErr, snapshotErr, saveErr, dropErr, makeErr, findErr, forgetErr, rewrapErr,
	} {
		if err == nil || !strings.Contains(err.Error(), "tx is nil") {
			t.Errorf("call %d: error is %v, want one that says that tx is nil", i, err)
		}
	}
}
