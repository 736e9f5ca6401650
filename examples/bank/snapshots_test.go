package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/examples/bank/bankstore"
	"github.com/eventmap/eventmap/examples/bank/domain/account"
	"github.com/eventmap/eventmap/examples/bank/domain/transfer"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/eventtest"
)

// An account of 10,000 transfers: the first transfer folds them all and saves a snapshot, from which the next begins.
func TestSnapshots_tenThousandTransfers(t *testing.T) {
	t.Parallel()
	const transfers = 10_000
	b, ctx := open(t), t.Context()
	err := errors.Join(b.open(ctx, "busy", "Grace", 0), b.open(ctx, "other", "Ada", 1000), b.history(ctx, "busy", transfers))
	if err != nil {
		t.Fatal(err)
	}
	const holds = transfers/3 + 1 // 3334 times two in and one out, but for the last
	expectSnapshot := func(want int64) {
		t.Helper()
		if got, err := b.snapshotVersion(ctx, "busy"); err != nil || got != want {
			t.Errorf("the snapshot is of version %d (error %v), want %d", got, err, want)
		}
	}
	b.expect(t, "busy", holds)
	expectSnapshot(0) // to load writes nothing, nor does Append
	for n, want := range []int64{1 + transfers + 1, 1 + transfers + 1, 1 + transfers + 1} {
		if _, err := b.transfer(ctx, move{"in-" + string(rune('a'+n)), transfer.Made{From: "other", To: "busy", Cents: 10}}); err != nil {
			t.Fatal(err)
		}
		expectSnapshot(want)
	}
	b.expect(t, "busy", holds+30)

	// The same from its first event on.
	err = b.in(ctx, func(tx *sql.Tx) error {
		got, version, err := b.accounts.Load(ctx, tx, "busy")
		if err != nil {
			return err
		}
		whole, _, err := b.accounts.Load(ctx, tx, "busy", runtime.ToVersion(version))
		if diff := cmp.Diff(whole, got); diff != "" {
			t.Errorf("state from a snapshot (-whole +got):\n%s", diff)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// What a release that is gone has left is swept; what the one that runs has saved stays.
func TestSnapshots_sweep(t *testing.T) {
	t.Parallel()
	b, ctx := open(t), t.Context()
	if err := errors.Join(b.open(ctx, "a", "Ada", 1000), b.open(ctx, "b", "Charles", 0), b.history(ctx, "a", 300)); err != nil {
		t.Fatal(err)
	}
	if _, err := b.transfer(ctx, move{"r", transfer.Made{From: "a", To: "b", Cents: 1}}); err != nil {
		t.Fatal(err)
	}
	const formerRelease = `insert into aggregate_snapshots (aggregate_type, aggregate_id, fingerprint, aggregate_version, state, saved_at)
		select 'Account', id, 'of a release that is gone', 1, '{}', now() - interval '1 year' from unnest(array['a', 'b']) as id`
	if _, err := b.db.ExecContext(ctx, formerRelease); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int64{2, 0} {
		if got, err := b.sweep(ctx, 90*24*time.Hour); err != nil || got != want {
			t.Errorf("%d snapshots were swept (error %v), want %d", got, err, want)
		}
	}
	if version, err := b.snapshotVersion(ctx, "a"); err != nil || version != 303 {
		t.Errorf("the snapshot of this release is of version %d (error %v), want 303", version, err)
	}
}

// Whatever becomes of a snapshot, the answer is the one without. A store in memory makes each fault.
func TestSnapshots_faults(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(runtime.SnapshotKey, runtime.Snapshot) runtime.Snapshot{
		"no JSON": func(_ runtime.SnapshotKey, s runtime.Snapshot) runtime.Snapshot {
			s.State = []byte("{")
			return s
		},
		"of another type": func(_ runtime.SnapshotKey, s runtime.Snapshot) runtime.Snapshot {
			s.State = []byte(`{"Cents":"many"}`)
			return s
		},
		"ahead of the stream": func(_ runtime.SnapshotKey, s runtime.Snapshot) runtime.Snapshot {
			s.Version += 100
			return s
		},
		"of another state": func(_ runtime.SnapshotKey, s runtime.Snapshot) runtime.Snapshot {
			var a account.Account
			_ = json.Unmarshal(s.State, &a)
			a.Cents++
			s.State, _ = json.Marshal(a)
			return s
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := eventtest.NewStore[eventtest.NoTx]()
			accounts := bankstore.NewAccountStore(store, runtime.SnapshotEvery(1), runtime.VerifySnapshots(1))
			deposit := func(a account.Account) ([]account.Event, error) { return a.Deposit(10, "r") }
			do(t, accounts, func(a account.Account) ([]account.Event, error) { return a.Open("Ada", 5) })
			do(t, accounts, deposit)
			if len(store.Snapshots()) != 1 {
				t.Fatalf("there are %d snapshots, want 1", len(store.Snapshots()))
			}
			store.SpoilSnapshots(spoil)
			store.FailSnapshots(errors.New("the disk is full"))
			do(t, accounts, deposit)
			store.FailSnapshots(nil)
			want := account.Account{Owner: "Ada", Cents: 25}
			if got, version, err := accounts.Load(t.Context(), eventtest.NoTx{}, "a"); err != nil || got != want || version != 4 {
				t.Errorf("%+v at version %d, error %v; want %+v at 4", got, version, err, want)
			}
		})
	}
}

func do(t *testing.T, accounts *bankstore.AccountStore[eventtest.NoTx], decide func(account.Account) ([]account.Event, error)) {
	t.Helper()
	if _, err := accounts.Execute(context.Background(), eventtest.NoTx{}, "a", decide); err != nil {
		t.Fatal(err)
	}
}
