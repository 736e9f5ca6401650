package privacy

import (
	"errors"
	"fmt"

	"github.com/google/uuid"
)

var (
	// ErrForgotten: a value was to be sealed for a subject that was forgotten. Nothing is written, and the transaction is
	// still usable. [Keys.Readmit] gives the subject a new key. It comes as a [*SubjectError].
	ErrForgotten = errors.New("the subject was forgotten; Keys.Readmit gives it a new key if it comes back")

	// ErrIntegrity: what is stored is not what was sealed there. It was damaged or moved, it is in clear where a sealed
	// value is expected, or its key is not one of this log. Trying again does not help.
	ErrIntegrity = errors.New("the sealed value is not authentic")

	// ErrKeyMissing: the table of keys does not have the key of a value, not even as one that was erased. Its row was deleted, or
	// the table was restored to an earlier time than the log; see [Keys.MissingKeys]. It is an [ErrIntegrity].
	ErrKeyMissing = fmt.Errorf("%w: its key is not in the table of keys, from which it was deleted or which is older than the log", ErrIntegrity)

	// ErrUnavailable: the key management service did not wrap or unwrap a key, so nobody can say what a value is. It may
	// do so later: run the transaction again. It never means that the value was erased.
	ErrUnavailable = errors.New("the key management service did not answer")

	// ErrNotCached: a [Cipher] of [Keys.Cipher] came to a value whose key is not cached.
	ErrNotCached = errors.New("its key is not cached")
)

// A SubjectError says for which subject there is no key to seal with. errors.Is finds the cause, most often [ErrForgotten].
type SubjectError struct {
	Subject string
	Err     error
}

// Error names the subject.
func (e *SubjectError) Error() string { return fmt.Sprintf("subject %q: %v", e.Subject, e.Err) }

// Unwrap returns the cause.
func (e *SubjectError) Unwrap() error { return e.Err }

// A PlaceError says where a sealed value is that cannot be opened. errors.Is finds the cause, most often [ErrIntegrity]. It
// never quotes the value.
type PlaceError struct {
	Place Place
	Err   error
}

// Error names the event and the field.
func (e *PlaceError) Error() string {
	return fmt.Sprintf("field %s of event %s, %s v%d of %s %q: %v",
		e.Place.Field, e.Place.EventID, e.Place.EventType, e.Place.EventVersion, e.Place.AggregateType, e.Place.AggregateID, e.Err)
}

// Unwrap returns the cause.
func (e *PlaceError) Unwrap() error { return e.Err }

// missing returns an [ErrKeyMissing] that says which key it is.
func missing(key uuid.UUID) error { return fmt.Errorf("%w: %s", ErrKeyMissing, key) }

// notAuthentic returns an [ErrIntegrity] that says why.
func notAuthentic(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrIntegrity, fmt.Sprintf(format, args...))
}
