// Package v1 holds the events of users. No mark says which they are: its folder says that they are version 1, and every
// exported struct is an event unless another has it as a field. Marks say what is personal, and that a user's stream is about
// that user.
//
//eventmap:aggregate User subject
package v1

import "time"

// UserRegistered says that somebody has an account now.
type UserRegistered struct {
	Email        string    `json:"email"` //eventmap:personal erased="(removed)"
	Name         Name      `json:"name"`  //eventmap:personal
	RegisteredAt time.Time `json:"registeredAt"`
}

// Name is how a user is addressed. It is a value, not an event: UserRegistered has it as a field.
type Name struct {
	Given  string `json:"given"`
	Family string `json:"family"`
}

// UserEmailChanged says that mail goes to another address.
type UserEmailChanged struct {
	Email string `json:"email"` //eventmap:personal erased="(removed)"
}

// UserRenamed says that the user is addressed in another way.
type UserRenamed struct {
	Name Name `json:"name"` //eventmap:personal
}

// UserLocked says that the account cannot be used.
type UserLocked struct {
	Reason string     `json:"reason"`
	Until  *time.Time `json:"until,omitempty"`
}

// UserDeleted says that the account is gone, and that the user is to be forgotten.
//
//eventmap:forget
type UserDeleted struct{}
