package console

import "context"

// An Access is who sends a request, and what they may do.
type Access struct {
	Role Role
	// User is who it is. It goes into the log of actions, and an operator needs one.
	User string
}

// A Role is what somebody may do.
type Role int

// The roles. The zero value is no access.
const (
	NoAccess  Role = iota
	Reader         // sees every page, changes nothing
	Operating      // also acts
)

// operates reports whether it is somebody who may act.
func (a Access) operates() bool { return a.Role == Operating && a.User != "" }

type accessKey struct{}

func withAccess(ctx context.Context, a Access) context.Context {
	return context.WithValue(ctx, accessKey{}, a)
}

func accessOf(ctx context.Context) Access {
	a, _ := ctx.Value(accessKey{}).(Access)
	return a
}
