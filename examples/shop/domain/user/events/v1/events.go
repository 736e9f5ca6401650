// Package v1 holds the events of users. It has no marks: its folder says that they belong to the aggregate User and are
// version 1, and every exported struct is an event unless another has it as a field.
package v1

import "time"

// UserRegistered says that somebody has an account now.
type UserRegistered struct {
	Email        string    `json:"email"`
	Name         Name      `json:"name"`
	RegisteredAt time.Time `json:"registeredAt"`
}

// Name is how a user is addressed. It is a value, not an event: UserRegistered has it as a field.
type Name struct {
	Given  string `json:"given"`
	Family string `json:"family"`
}

// UserEmailChanged says that mail goes to another address.
type UserEmailChanged struct {
	Email string `json:"email"`
}

// UserRenamed says that the user is addressed in another way.
type UserRenamed struct {
	Name Name `json:"name"`
}

// UserLocked says that the account cannot be used.
type UserLocked struct {
	Reason string     `json:"reason"`
	Until  *time.Time `json:"until,omitempty"`
}

// UserDeleted says that the account is gone.
type UserDeleted struct{}
