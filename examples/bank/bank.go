package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/examples/bank/bankstore"
	"github.com/eventmap/eventmap/examples/bank/domain/account"
	"github.com/eventmap/eventmap/examples/bank/domain/transfer"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// A bank moves money between accounts. It is safe for concurrent use, by any number of processes on one database.
type bank struct {
	db        *sql.DB
	store     *postgres.Store[*sql.Tx]
	accounts  *bankstore.AccountStore[*sql.Tx]
	transfers *bankstore.TransferStore[*sql.Tx]
}

func newBank(db *sql.DB) (*bank, error) {
	store, err := postgres.NewSQL()
	if err != nil {
		return nil, err
	}
	return &bank{
		db: db, store: store,
		// A busy account is decided on again whenever another transaction was quicker.
		accounts:  bankstore.NewAccountStore(store, runtime.WithMaxAttempts(100)),
		transfers: bankstore.NewTransferStore(store),
	}, nil
}

// open opens an account with money in it.
func (b *bank) open(ctx context.Context, id account.ID, owner string, cents int64) error {
	return b.in(ctx, func(tx *sql.Tx) error {
		_, err := b.accounts.Execute(ctx, tx, id, func(a account.Account) ([]account.Event, error) { return a.Open(owner, cents) })
		return err
	})
}

// balance returns what an account holds.
func (b *bank) balance(ctx context.Context, id account.ID) (cents int64, err error) {
	err = b.in(ctx, func(tx *sql.Tx) error {
		a, _, err := b.accounts.Load(ctx, tx, id)
		cents = a.Cents
		return err
	})
	return cents, err
}

// errOtherTransfer: a request is known, but asked for something else then.
var errOtherTransfer = errors.New("the request was for another transfer")

// A move is what a request asks for.
type move struct {
	request string // names the request for ever: whoever repeats it gives it again
	transfer.Made
}

// transfer moves money. A request that was carried out before is not carried out again, and is no error: done is false
// then. So a caller who got no answer, for the network or a process died, asks again.
func (b *bank) transfer(ctx context.Context, m move) (done bool, err error) {
	err = b.in(ctx, func(tx *sql.Tx) error {
		done, err = b.claim(ctx, tx, m)
		if err != nil || !done {
			return err
		}
		_, _, err = bankstore.Decide2(ctx, tx, b.accounts.At(m.From), b.accounts.At(m.To),
			func(from, to account.Account) (withdrawn, deposited []account.Event, err error) {
				if withdrawn, err = from.Withdraw(m.Cents, m.request); err == nil {
					deposited, err = to.Deposit(m.Cents, m.request)
				}
				return withdrawn, deposited, err
			}, runtime.WithCausationID(m.request))
		return err
	})
	if err != nil {
		return false, fmt.Errorf("transfer %s: %w", m.request, err)
	}
	return done, nil
}

// claim begins the stream of the transfer, which can be done once: the event's ID follows from the request, and the store
// recognises it when it is appended again. A second transaction with the same request waits here for the first.
func (b *bank) claim(ctx context.Context, tx *sql.Tx, m move) (first bool, err error) {
	id := func() uuid.UUID { return uuid.NewSHA1(uuid.NameSpaceOID, []byte("transfer/"+m.request)) }
	made := []bankstore.TransferEvent{bankstore.TransferEventOf(m.Made)}
	result, err := b.transfers.Append(ctx, tx, m.request, runtime.NoStream(), made, runtime.WithEventID(id))
	if err != nil || !result.AlreadyStored {
		return err == nil, err
	}
	stored, err := bankstore.FromTransferMadeV1(result.Events[0])
	if err == nil && stored != m.Made {
		err = errOtherTransfer
	}
	return false, err
}

// in runs f in a transaction and commits it. Where the server ended the transaction for another's sake, it runs it again.
func (b *bank) in(ctx context.Context, f func(tx *sql.Tx) error) error {
	const attempts = 10
	for attempt := 1; ; attempt++ {
		err := b.once(ctx, f)
		if err == nil || !runtime.Retryable(err) || attempt == attempts {
			return err
		}
	}
}

func (b *bank) once(ctx context.Context, f func(tx *sql.Tx) error) error {
	tx, err := b.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}
