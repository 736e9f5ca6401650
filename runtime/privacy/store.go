package privacy

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// A StoredKey is a row of the table subject_keys.
type StoredKey struct {
	KeyID       uuid.UUID
	Subject     string
	Generation  int       // of the subject's keys, from 1; a subject that is readmitted gets the next
	Wrapped     []byte    // the encrypted key; nil: the subject was forgotten
	WrappedBy   string    // the name of the wrapper, see [WithWrapperName]
	CreatedAt   time.Time // by the clock of the store, which sets it when the key is made
	ForgottenAt time.Time // zero: it was not

	// Settled says that the row is committed, by another transaction than the one that reads it, and as it is now. A store
	// that cannot tell says no. Only settled rows are cached: another may be rolled back, or be forgotten already.
	Settled bool
}

// IsForgotten reports whether the key was erased.
func (k *StoredKey) IsForgotten() bool { return k.Wrapped == nil }

// A KeyStore keeps the encrypted keys, in the transaction of the append or read that needs them. Tx is that of the event
// store. A transaction is usable after an error of a store as it is after one of the event store. Implementations are in
// runtime/postgres and runtime/sqlite, and in memory in [MemoryKeys]. It must be safe for concurrent use.
type KeyStore[Tx any] interface {
	// MakeKeys returns the newest key of each key's subject, in any order, a forgotten one too. A subject that has none gets
	// the key that is given for it, as its first generation. With readmit a subject whose newest key was forgotten gets the
	// given key too, as the next generation. If two transactions do so at once, the second waits and gets the key of the
	// first. No two of the keys are of one subject. It takes one round trip, two after such a race.
	MakeKeys(ctx context.Context, tx Tx, keys []StoredKey, readmit bool) ([]StoredKey, error)
	// FindKeys returns the keys that query selects. It takes one round trip.
	FindKeys(ctx context.Context, tx Tx, query KeyQuery) ([]StoredKey, error)
	// ForgetKeys erases the named keys for good and deletes the snapshots that are sealed with one of them. A key that is not
	// there is stored as a forgotten one, unless its subject has a key of the same generation.
	ForgetKeys(ctx context.Context, tx Tx, keys []StoredKey) error
	// RewrapKeys stores Wrapped and WrappedBy of keys that are not forgotten.
	RewrapKeys(ctx context.Context, tx Tx, keys []StoredKey) error
}

// A KeyQuery selects keys by the one of its fields that is set.
type KeyQuery struct {
	IDs      []uuid.UUID
	Subjects []string // every generation
	// Forgotten selects forgotten keys whose ID is greater than After, by ID, at most Limit.
	Forgotten bool
	After     uuid.UUID
	// NotWrappedBy selects keys that are not forgotten and were wrapped by another wrapper than the named one, at most Limit.
	NotWrappedBy string
	Limit        int
}
