package privacy

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
)

// Keys are the keys of the subjects of one log. They are safe for concurrent use and meant to be made once in a program.
//
// Keys that were read are cached for a minute; see [WithTTL]. So after [Keys.Forget] other processes may read the subject's
// data for that long; in this process they may not, once its transaction has committed.
type Keys[Tx any] struct {
	store KeyStore[Tx]
	keks  *keks
	cache *cache
	now   func() time.Time
	only  *string // the subject whose values are opened, while all others read as erased; nil: there is none
	held  *Ring   // keys that need not be asked for again; nil: there are none
}

// NewKeys returns the keys that store holds, encrypted by wrapper. It panics if one of them is nil.
func NewKeys[Tx any](store KeyStore[Tx], wrapper KeyWrapper, opts ...Option) *Keys[Tx] {
	if store == nil || wrapper == nil {
		panic("privacy: NewKeys needs a store and a wrapper")
	}
	c := config{ttl: time.Minute, size: 10_000, wrapper: "default", now: time.Now}
	for _, o := range opts {
		o(&c)
	}
	return &Keys[Tx]{
		store: store,
		keks:  &keks{wrapper: wrapper, name: c.wrapper, old: c.old, now: c.now, opened: make(map[string]*kek)},
		cache: newCache(c.ttl, c.size, c.now),
		now:   c.now,
	}
}

// ForSubjects returns the keys to seal values for the subjects with; one that has no key gets one, in the caller's
// transaction. It takes no round trip if all keys are cached, else one, and one more if another transaction makes a key for
// one of the subjects at the same time. A subject that was forgotten is an [ErrForgotten]; the transaction is still usable
// then. An [ErrUnavailable] may pass. A subject may come more than once; an empty one is an error.
func (k *Keys[Tx]) ForSubjects(ctx context.Context, tx Tx, subjects ...string) (*Ring, error) {
	for _, subject := range subjects {
		if err := CheckSubject(subject); err != nil {
			return nil, fmt.Errorf("keys for subjects: %w", err)
		}
	}
	ring := newRing()
	missing := k.cache.ofSubjects(ring, subjects)
	if len(missing) == 0 {
		return ring, nil
	}
	if err := k.make(ctx, tx, ring, missing, false); err != nil {
		return nil, fmt.Errorf("keys for subjects: %w", err)
	}
	return ring, nil
}

// make puts the newest keys of subjects into the ring and makes those that are missing.
func (k *Keys[Tx]) make(ctx context.Context, tx Tx, ring *Ring, subjects []string, readmit bool) error {
	fresh := make([]StoredKey, len(subjects))
	made := make(map[uuid.UUID]*key, len(subjects))
	for i, subject := range subjects {
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		secret := make([]byte, secretBytes)
		_, _ = rand.Read(secret) // never fails
		wrapped, err := k.keks.wrap(ctx, id, subject, secret)
		if err != nil {
			return err
		}
		fresh[i] = StoredKey{KeyID: id, Subject: subject, Generation: 1, Wrapped: wrapped, WrappedBy: k.keks.name}
		if made[id], err = newKey(id, subject, secret); err != nil {
			return err
		}
	}
	asked := k.now()
	rows, err := k.store.MakeKeys(ctx, tx, fresh, readmit)
	if err != nil {
		return err
	}
	for i := range rows {
		row := &rows[i]
		if row.IsForgotten() {
			return &SubjectError{row.Subject, ErrForgotten}
		}
		key, ok := made[row.KeyID]
		if !ok {
			if key, err = k.unwrap(ctx, row); err != nil {
				return &SubjectError{row.Subject, err}
			}
		}
		k.keep(row, key, asked, true)
		ring.add(key, true)
	}
	for _, subject := range subjects {
		if ring.bySubject[subject] == nil {
			return &SubjectError{subject, errors.New("the store made no key and found none; a trigger, rule or policy of its table may keep it out")}
		}
	}
	return nil
}

// ByID returns the keys to open values with. It takes no round trip if all keys are cached, else one for all together. A
// forgotten key is known as erased. An ID that no key has is no error here, but in [Ring.Open], which can name the place. An
// ID may come more than once. An [ErrUnavailable] may pass.
func (k *Keys[Tx]) ByID(ctx context.Context, tx Tx, ids ...uuid.UUID) (*Ring, error) {
	ring := newRing()
	if err := k.find(ctx, tx, ring, ids); err != nil {
		return nil, fmt.Errorf("keys by ID: %w", err)
	}
	if k.only != nil {
		ring.conceal(*k.only)
	}
	return ring, nil
}

// find puts the keys of the IDs into the ring.
func (k *Keys[Tx]) find(ctx context.Context, tx Tx, ring *Ring, ids []uuid.UUID) error {
	if k.held != nil {
		ids = k.held.give(ring, ids)
	}
	missing := k.cache.ofIDs(ring, ids)
	if len(missing) == 0 {
		return nil
	}
	asked := k.now()
	rows, err := k.store.FindKeys(ctx, tx, KeyQuery{IDs: missing})
	if err != nil {
		return err
	}
	for i := range rows {
		row := &rows[i]
		key, err := k.unwrap(ctx, row)
		switch {
		case errors.Is(err, ErrIntegrity): // its values cannot be opened, each of which has a place; all others can
			key = unusable(row, err)
		case err != nil:
			return err
		default:
			k.keep(row, key, asked, false)
		}
		ring.add(key, false)
	}
	return nil
}

// unwrap returns the key that a row holds.
func (k *Keys[Tx]) unwrap(ctx context.Context, row *StoredKey) (*key, error) {
	if row.IsForgotten() {
		return newKey(row.KeyID, row.Subject, nil)
	}
	secret, err := k.keks.unwrap(ctx, row)
	if err != nil {
		return nil, err
	}
	return newKey(row.KeyID, row.Subject, secret)
}

// keep caches a key if its row may be.
func (k *Keys[Tx]) keep(row *StoredKey, key *key, asked time.Time, newest bool) {
	if row.Settled {
		k.cache.put(key, asked, newest)
	}
}

// Forget erases every key of the subjects, in the caller's transaction, and deletes the snapshots that are sealed with them.
// When it has committed, what was sealed for a subject cannot be read again, here and, after the time to live of their
// caches, in other processes, and appends for the subject are refused with [ErrForgotten]. A subject that has no key yet is
// refused in the same way. Forgetting again is no error.
//
// Copies of the keys in backups, in replicas that lag, and in files of the database that are not overwritten yet are beyond
// its reach; docs/privacy.md says what to do about them.
func (k *Keys[Tx]) Forget(ctx context.Context, tx Tx, subjects ...string) error {
	return k.forget(ctx, tx, func(*StoredKey) bool { return false }, subjects)
}

// ForgetAsOf is [Keys.Forget] for somebody who was to be forgotten at an earlier time, such as when events that say so are
// handled again: a key that [Keys.Readmit] has given to a subject since then stays. The time is compared with that at which the
// database made the key, so it means little if the clocks differ by more than passed between the two.
func (k *Keys[Tx]) ForgetAsOf(ctx context.Context, tx Tx, at time.Time, subjects ...string) error {
	return k.forget(ctx, tx, func(row *StoredKey) bool { return row.Generation > 1 && row.CreatedAt.After(at) }, subjects)
}

// forget erases the keys of subjects but those that are spared.
func (k *Keys[Tx]) forget(ctx context.Context, tx Tx, spares func(*StoredKey) bool, subjects []string) error {
	for _, subject := range subjects {
		if err := CheckSubject(subject); err != nil {
			return fmt.Errorf("forget: %w", err)
		}
	}
	if len(subjects) == 0 {
		return nil
	}
	defer k.cache.bar(subjects)
	// A key that another transaction makes meanwhile is seen when that has committed: storing a forgotten key waits for it.
	for range 10 {
		forget, err := k.unforgotten(ctx, tx, spares, subjects)
		if err != nil {
			return fmt.Errorf("forget: %w", err)
		}
		if len(forget) == 0 {
			return nil
		}
		if err := k.store.ForgetKeys(ctx, tx, forget); err != nil {
			return fmt.Errorf("forget: %w", err)
		}
	}
	return errors.New("forget: keys of the subjects stay, whatever is done; a trigger, rule or policy of their table may keep them")
}

// unforgotten returns the keys of subjects that are to be forgotten, among them a new one for each subject that has none.
func (k *Keys[Tx]) unforgotten(ctx context.Context, tx Tx, spares func(*StoredKey) bool, subjects []string) ([]StoredKey, error) {
	rows, err := k.store.FindKeys(ctx, tx, KeyQuery{Subjects: subjects})
	if err != nil {
		return nil, err
	}
	var forget []StoredKey
	known := make(map[string]bool, len(subjects))
	for i := range rows {
		row := &rows[i]
		known[row.Subject] = true
		if !row.IsForgotten() && !spares(row) {
			forget = append(forget, *row)
		}
	}
	for _, subject := range subjects {
		if known[subject] {
			continue
		}
		known[subject] = true
		id, err := uuid.NewV7()
		if err != nil {
			return nil, err
		}
		forget = append(forget, StoredKey{KeyID: id, Subject: subject, Generation: 1})
	}
	return forget, nil
}

// Readmit gives subjects that were forgotten a new key, so that appends for them are taken again. What was sealed before
// stays unreadable. Subjects that are not forgotten stay as they are.
func (k *Keys[Tx]) Readmit(ctx context.Context, tx Tx, subjects ...string) error {
	var unique []string
	ring := newRing()
	for _, subject := range subjects {
		if err := CheckSubject(subject); err != nil {
			return fmt.Errorf("readmit: %w", err)
		}
		if _, again := ring.bySubject[subject]; !again {
			ring.bySubject[subject] = nil
			unique = append(unique, subject)
		}
	}
	if len(unique) == 0 {
		return nil
	}
	if err := k.make(ctx, tx, ring, unique, true); err != nil {
		return fmt.Errorf("readmit: %w", err)
	}
	return nil
}

// Rewrap wraps up to limit keys anew that another wrapper than the current one wrapped, and returns how many it did. Call it,
// each time in a transaction of its own, until it returns 0; appends and reads go on meanwhile. Then the old wrapper's key
// can be destroyed, if no process makes keys by it any more. A stored key that was damaged is an [ErrIntegrity] in a
// [*SubjectError], and nothing is done: restore its row, or give the key up by [Keys.ForgetAgain]. See [WithWrapperName] and
// [WithOldWrapper].
func (k *Keys[Tx]) Rewrap(ctx context.Context, tx Tx, limit int) (int, error) {
	rows, err := k.store.FindKeys(ctx, tx, KeyQuery{NotWrappedBy: k.keks.name, Limit: limit})
	if err != nil {
		return 0, fmt.Errorf("rewrap: %w", err)
	}
	for i := range rows {
		row := &rows[i]
		secret, err := k.keks.unwrap(ctx, row)
		if err != nil {
			return 0, fmt.Errorf("rewrap: %w", &SubjectError{row.Subject, err})
		}
		if row.Wrapped, err = k.keks.wrap(ctx, row.KeyID, row.Subject, secret); err != nil {
			return 0, fmt.Errorf("rewrap: %w", err)
		}
		row.WrappedBy = k.keks.name
	}
	if len(rows) == 0 {
		return 0, nil
	}
	if err := k.store.RewrapKeys(ctx, tx, rows); err != nil {
		return 0, fmt.Errorf("rewrap: %w", err)
	}
	return len(rows), nil
}

// A ForgottenSubject is a key that was erased. A list of them, kept apart from the database and its backups, is what a
// restored backup needs: it has the keys again. See [Keys.ForgetAgain].
type ForgottenSubject struct {
	Subject     string    `json:"subject"`
	KeyID       uuid.UUID `json:"key_id"`
	Generation  int       `json:"generation"`
	ForgottenAt time.Time `json:"forgotten_at"`
}

// ForgottenSubjects yields every key that was erased, by ID. The error, if there is one, ends it.
func (k *Keys[Tx]) ForgottenSubjects(ctx context.Context, tx Tx) iter.Seq2[ForgottenSubject, error] {
	const page = 1000
	return func(yield func(ForgottenSubject, error) bool) {
		var after uuid.UUID
		for {
			rows, err := k.store.FindKeys(ctx, tx, KeyQuery{Forgotten: true, After: after, Limit: page})
			if err != nil {
				yield(ForgottenSubject{}, fmt.Errorf("forgotten subjects: %w", err))
				return
			}
			for i := range rows {
				row := &rows[i]
				if !yield(ForgottenSubject{row.Subject, row.KeyID, row.Generation, row.ForgottenAt.UTC()}, nil) {
					return
				}
				after = row.KeyID
			}
			if len(rows) < page {
				return
			}
		}
	}
}

// ForgetAgain erases the listed keys, as is needed after a restore of a backup that has them still, before the application
// starts. A key that the backup does not know yet is stored as a forgotten one, so that its subject stays refused. Keys of a
// subject that was readmitted stay.
func (k *Keys[Tx]) ForgetAgain(ctx context.Context, tx Tx, list ...ForgottenSubject) error {
	if len(list) == 0 {
		return nil
	}
	keys, subjects := make([]StoredKey, len(list)), make([]string, len(list))
	for i, f := range list {
		if err := CheckSubject(f.Subject); err != nil {
			return fmt.Errorf("forget again: entry %d of the list: %w", i, err)
		}
		if f.KeyID == uuid.Nil || f.Generation < 1 {
			return fmt.Errorf("forget again: entry %d of the list has no key ID or generation", i)
		}
		keys[i], subjects[i] = StoredKey{KeyID: f.KeyID, Subject: f.Subject, Generation: f.Generation}, f.Subject
	}
	defer k.cache.bar(subjects)
	if err := k.store.ForgetKeys(ctx, tx, keys); err != nil {
		return fmt.Errorf("forget again: %w", err)
	}
	return nil
}

// KeyIDs returns the IDs of all keys a subject has or had.
func (k *Keys[Tx]) KeyIDs(ctx context.Context, tx Tx, subject string) ([]uuid.UUID, error) {
	if err := CheckSubject(subject); err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	rows, err := k.store.FindKeys(ctx, tx, KeyQuery{Subjects: []string{subject}})
	if err != nil {
		return nil, fmt.Errorf("keys of subject %q: %w", subject, err)
	}
	ids := make([]uuid.UUID, len(rows))
	for i := range rows {
		ids[i] = rows[i].KeyID
	}
	return ids, nil
}

// maxSubject is how many bytes the ID of a subject may have: an index of PostgreSQL takes a third of a page.
const maxSubject = 1024

// CheckSubject says why a text cannot be the ID of a subject, or returns nil: it has 1 to 1024 bytes of valid UTF-8 without
// NUL. IDs are compared byte for byte.
func CheckSubject(subject string) error {
	switch {
	case subject == "":
		return &SubjectError{subject, errors.New("it is empty")}
	case len(subject) > maxSubject:
		return &SubjectError{subject[:maxShown] + "...", fmt.Errorf("it has %d bytes; %d are possible", len(subject), maxSubject)}
	case !runtime.ValidName(subject):
		return &SubjectError{subject, errors.New("it holds a NUL or is not valid UTF-8")}
	}
	return nil
}

// maxShown is how much of a subject that is too long an error shows, in bytes.
const maxShown = 32
