package account_test

import (
	"testing"

	"github.com/eventmap/eventmap/examples/bank/bankstore/bankstoretest"
	"github.com/eventmap/eventmap/examples/bank/domain/account"
)

func open(owner string, cents int64) func(account.Account) ([]account.Event, error) {
	return func(a account.Account) ([]account.Event, error) { return a.Open(owner, cents) }
}

func deposit(cents int64) func(account.Account) ([]account.Event, error) {
	return func(a account.Account) ([]account.Event, error) { return a.Deposit(cents, "t-1") }
}

func withdraw(cents int64) func(account.Account) ([]account.Event, error) {
	return func(a account.Account) ([]account.Event, error) { return a.Withdraw(cents, "t-1") }
}

func TestAccount_opens(t *testing.T) {
	t.Parallel()
	bankstoretest.AccountScenario(t).
		When(open("Ada", 500)).Then(account.Opened{Owner: "Ada"}, account.Deposited{Cents: 500}).
		When(open("Ada", 500)).ThenError(account.ErrOpen).
		ThenState(account.Account{Owner: "Ada", Cents: 500})
	bankstoretest.AccountScenario(t).When(open("Ada", 0)).Then(account.Opened{Owner: "Ada"})
	bankstoretest.AccountScenario(t).When(open("Ada", -1)).ThenError(account.ErrAmount)
}

func TestAccount_holdsNoLessThanNothing(t *testing.T) {
	t.Parallel()
	rich := bankstoretest.AccountScenario(t).Given(account.Opened{Owner: "Ada"}, account.Deposited{Cents: 500})
	rich.When(withdraw(501)).ThenError(&account.TooLittle{Balance: 500, Asked: 501})
	rich.When(withdraw(500)).Then(account.Withdrawn{Cents: 500, Transfer: "t-1"}).
		When(withdraw(1)).ThenError(&account.TooLittle{Balance: 0, Asked: 1}).
		When(deposit(1)).Then(account.Deposited{Cents: 1, Transfer: "t-1"}).
		When(withdraw(1)).Then(account.Withdrawn{Cents: 1, Transfer: "t-1"})
}

func TestAccount_refusals(t *testing.T) {
	t.Parallel()
	none := bankstoretest.AccountScenario(t)
	none.When(deposit(1)).ThenError(account.ErrNotOpen)
	none.When(withdraw(1)).ThenError(account.ErrNotOpen)
	empty := none.Given(account.Opened{Owner: "Ada"})
	empty.When(deposit(0)).ThenError(account.ErrAmount)
	empty.When(withdraw(-1)).ThenError(account.ErrAmount)
}
