package privacy

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Subjects' keys are not wrapped by the key management service one by one: a process has the service wrap one key encryption
// key (KEK), wraps the keys it makes by that, and stores the wrapped KEK with each. So a key is made without a call of the
// service, and a batch of keys that one process made takes one call to read.
//
// A wrapped key is a format, the length of the wrapped KEK, that KEK, a nonce, the ciphertext and the tag.
const wrappedFormat = 1

const (
	secretBytes = 32
	kekUses     = 1 << 24 // far below the 2^32 random nonces that NIST SP 800-38D allows a key
	kekTTL      = time.Hour
	keksCached  = 1000
)

// keks wraps and unwraps subjects' keys.
type keks struct {
	wrapper KeyWrapper
	name    string
	old     map[string]KeyWrapper
	now     func() time.Time

	mu      sync.Mutex
	current *kek
	opened  map[string]*kek // by the wrapper's name and the wrapped KEK
}

type kek struct {
	wrapped []byte
	aead    cipher.AEAD
	uses    int
	expires time.Time
}

// wrap returns the stored form of a key.
func (w *keks) wrap(ctx context.Context, id uuid.UUID, subject string, secret []byte) ([]byte, error) {
	k, err := w.forWrapping(ctx)
	if err != nil {
		return nil, err
	}
	data := make([]byte, 0, 3+len(k.wrapped)+nonceBytes+secretBytes+tagBytes)
	data = append(data, wrappedFormat)
	data = binary.BigEndian.AppendUint16(data, uint16(len(k.wrapped)))
	data = append(data, k.wrapped...)
	return k.aead.Seal(data, nil, secret, wrappedFor(id, subject)), nil
}

// forWrapping returns the KEK of this process, which it makes when there is none or when it has been used often enough.
func (w *keks) forWrapping(ctx context.Context) (*kek, error) {
	w.mu.Lock()
	if k := w.current; k != nil && k.uses < kekUses {
		k.uses++
		w.mu.Unlock()
		return k, nil
	}
	w.mu.Unlock() // The service may be slow. Two goroutines may make one each.
	secret := make([]byte, secretBytes)
	_, _ = rand.Read(secret) // never fails
	wrapped, err := w.wrapper.Encrypt(ctx, secret)
	if err != nil {
		return nil, unavailable("encrypt", w.name, err)
	}
	if len(wrapped) == 0 || len(wrapped) > 1<<16-1 {
		return nil, fmt.Errorf("privacy: the wrapper %q returned %d bytes for a key", w.name, len(wrapped))
	}
	aead, err := newAEAD(secret)
	if err != nil {
		return nil, err
	}
	k := &kek{wrapped: wrapped, aead: aead, uses: 1}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.current = k
	return k, nil
}

// unwrap returns the key that a row holds.
func (w *keks) unwrap(ctx context.Context, row *StoredKey) ([]byte, error) {
	data := row.Wrapped
	if len(data) < 3 || data[0] != wrappedFormat {
		return nil, notAuthentic("key %s is not stored in a form that this release knows", row.KeyID)
	}
	size := int(binary.BigEndian.Uint16(data[1:]))
	if len(data) != 3+size+nonceBytes+secretBytes+tagBytes {
		return nil, notAuthentic("key %s is stored with %d bytes", row.KeyID, len(data))
	}
	k, err := w.open(ctx, row.KeyID, row.WrappedBy, data[3:3+size])
	if err != nil {
		return nil, err
	}
	secret, err := k.aead.Open(nil, nil, data[3+size:], wrappedFor(row.KeyID, row.Subject))
	if err != nil {
		return nil, notAuthentic("the stored key %s was changed, or is that of another subject", row.KeyID)
	}
	return secret, nil
}

// open returns the stored KEK of a key, with one call of the service for all the keys it wraps.
func (w *keks) open(ctx context.Context, id uuid.UUID, name string, wrapped []byte) (*kek, error) {
	known := name + "\x00" + string(wrapped)
	now := w.now()
	w.mu.Lock()
	if k, ok := w.opened[known]; ok && !isDue(k.expires, now) {
		w.mu.Unlock()
		return k, nil
	}
	w.mu.Unlock()
	wrapper, ok := w.old[name]
	if name == w.name || !ok {
		wrapper = w.wrapper
	}
	secret, err := wrapper.Decrypt(ctx, wrapped)
	if err != nil && !ok && name != w.name {
		return nil, fmt.Errorf("%w: key %s is wrapped by %q, which is none of the wrappers given, see WithOldWrapper; %q does not decrypt it: %w", ErrUnavailable, id, name, w.name, err)
	}
	if err != nil {
		return nil, unavailable("decrypt", name, err)
	}
	aead, err := newAEAD(secret)
	if err != nil || len(secret) != secretBytes {
		return nil, fmt.Errorf("privacy: the wrapper %q returned %d bytes for a key of %d", name, len(secret), secretBytes)
	}
	k := &kek{wrapped: wrapped, aead: aead, expires: now.Add(kekTTL)}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.opened) >= keksCached {
		clear(w.opened)
	}
	w.opened[known] = k
	return k, nil
}

// wrappedFor returns the additional data of a wrapped key: it cannot be given to another subject.
func wrappedFor(id uuid.UUID, subject string) []byte {
	return appendText(append([]byte("eventmap key\x00"), id[:]...), subject)
}

func unavailable(what, wrapper string, err error) error {
	return fmt.Errorf("%w: %s a key by wrapper %q: %w", ErrUnavailable, what, wrapper, err)
}
