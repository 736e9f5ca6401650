package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/eventmap/eventmap/examples/bank/bankstore"
	"github.com/eventmap/eventmap/examples/bank/domain/account"
	"github.com/eventmap/eventmap/runtime"
)

// history gives an account as many transfers as a busy shop sees: cents come in, and every third time go out again. They are
// appended a thousand at a time, as an import from another system would do it, and with Append, which saves no snapshot.
func (b *bank) history(ctx context.Context, id account.ID, transfers int) error {
	const page = 1000
	for from := 0; from < transfers; from += page {
		events := make([]bankstore.AccountEvent, 0, page)
		for n := from; n < min(from+page, transfers); n++ {
			request := fmt.Sprintf("imported-%d", n)
			if n%3 == 2 {
				events = append(events, account.Withdrawn{Cents: 1, Transfer: request})
			} else {
				events = append(events, account.Deposited{Cents: 1, Transfer: request})
			}
		}
		err := b.in(ctx, func(tx *sql.Tx) error {
			_, err := b.accounts.Append(ctx, tx, id, runtime.StreamExists(), events)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// sweep deletes the snapshots of releases under which nothing was saved for a while, and returns how many there were. A bank
// runs it once a day. Those of the release that runs stay, however old they are.
func (b *bank) sweep(ctx context.Context, unused time.Duration) (swept int64, err error) {
	err = b.in(ctx, func(tx *sql.Tx) error {
		swept, err = b.store.DropSnapshots(ctx, tx, runtime.SnapshotQuery{UnusedSince: time.Now().Add(-unused)})
		return err
	})
	return swept, err
}

// snapshotVersion returns the version of the latest snapshot of an account, 0 if there is none. Programs need not know: it is
// here to be shown.
func (b *bank) snapshotVersion(ctx context.Context, id account.ID) (version int64, err error) {
	const query = `select coalesce(max(aggregate_version), 0) from aggregate_snapshots where aggregate_type = $1 and aggregate_id = $2`
	err = b.db.QueryRowContext(ctx, query, bankstore.AccountType, id).Scan(&version)
	return version, err
}
