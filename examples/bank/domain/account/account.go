// Package account is an account of the bank: what is paid into it and out of it.
package account

import (
	"errors"
	"fmt"
)

// ID identifies an account.
type ID string

// An Event is something that happened to an account.
//
//eventmap:events Account
type Event interface{ accountEvent() }

// Opened begins an account.
type Opened struct {
	Owner string `json:"owner"`
}

// Deposited says that money came in, of a transfer or over the counter.
type Deposited struct {
	Cents    int64  `json:"cents"`
	Transfer string `json:"transfer,omitempty"`
}

// Withdrawn says that money went out.
type Withdrawn struct {
	Cents    int64  `json:"cents"`
	Transfer string `json:"transfer,omitempty"`
}

func (Opened) accountEvent()    {}
func (Deposited) accountEvent() {}
func (Withdrawn) accountEvent() {}

// The reasons to refuse something.
var (
	ErrNotOpen = errors.New("there is no such account")
	ErrOpen    = errors.New("the account is open already")
	ErrAmount  = errors.New("the amount is not above zero")
)

// TooLittle says that an account has less than is asked of it.
type TooLittle struct{ Balance, Asked int64 }

// Error names both amounts.
func (e *TooLittle) Error() string {
	return fmt.Sprintf("the account holds %d cents, and %d are asked for", e.Balance, e.Asked)
}

// Account is what the events of an account come to.
//
//eventmap:aggregate id=ID snapshots
type Account struct {
	Owner string
	Cents int64
}

// Open decides whether the account can be opened, with money in it.
func (a Account) Open(owner string, cents int64) ([]Event, error) {
	switch {
	case a.Owner != "":
		return nil, ErrOpen
	case cents < 0:
		return nil, ErrAmount
	case cents == 0:
		return []Event{Opened{Owner: owner}}, nil
	}
	return []Event{Opened{Owner: owner}, Deposited{Cents: cents}}, nil
}

// Deposit decides whether money can come in.
func (a Account) Deposit(cents int64, transfer string) ([]Event, error) {
	if err := a.check(cents); err != nil {
		return nil, err
	}
	return []Event{Deposited{Cents: cents, Transfer: transfer}}, nil
}

// Withdraw decides whether money can go out. An account never holds less than nothing.
func (a Account) Withdraw(cents int64, transfer string) ([]Event, error) {
	if err := a.check(cents); err != nil {
		return nil, err
	}
	if a.Cents < cents {
		return nil, &TooLittle{Balance: a.Cents, Asked: cents}
	}
	return []Event{Withdrawn{Cents: cents, Transfer: transfer}}, nil
}

func (a Account) check(cents int64) error {
	switch {
	case a.Owner == "":
		return ErrNotOpen
	case cents <= 0:
		return ErrAmount
	}
	return nil
}

// OnOpened begins the account.
func (a *Account) OnOpened(e Opened) { a.Owner = e.Owner }

// OnDeposited adds to it.
func (a *Account) OnDeposited(e Deposited) { a.Cents += e.Cents }

// OnWithdrawn takes from it.
func (a *Account) OnWithdrawn(e Withdrawn) { a.Cents -= e.Cents }
