// Package account is about the customers.
package account

// Event is something that happened to an account.
//
//eventmap:events Account
type Event interface{ isEvent() }

// Opened: a customer registered.
type Opened struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

// Closed: the customer left.
type Closed struct {
	Reason string `json:"reason"`
}

func (Opened) isEvent() {}
func (Closed) isEvent() {}

// Account is what its events come to.
//
//eventmap:aggregate
type Account struct {
	Name   string
	Closed bool
}

func (a *Account) OnOpened(e Opened) { a.Name = e.Name }
func (a *Account) OnClosed(Closed)   { a.Closed = true }
