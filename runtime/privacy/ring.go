package privacy

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"slices"

	"github.com/google/uuid"
)

// A Ring holds the keys that one append or one batch of reads needs. It is immutable and safe for concurrent use. It is good
// for the transaction it was made in: keep none.
type Ring struct {
	bySubject map[string]*key
	byID      map[uuid.UUID]*key
}

func newRing() *Ring {
	return &Ring{bySubject: make(map[string]*key), byID: make(map[uuid.UUID]*key)}
}

// add puts a key into a ring that is being made. newest says that it is the one to seal with.
func (r *Ring) add(k *key, newest bool) {
	r.byID[k.id] = k
	if newest {
		r.bySubject[k.subject] = k
	}
}

// give puts the keys that r has into another ring and returns the IDs of those that it has not.
func (r *Ring) give(to *Ring, ids []uuid.UUID) (missing []uuid.UUID) {
	for _, id := range ids {
		if k := r.byID[id]; k != nil {
			to.byID[id] = k
		} else {
			missing = append(missing, id)
		}
	}
	return missing
}

// A key is a subject's key, ready for use.
type key struct {
	id      uuid.UUID
	subject string
	secret  []byte      // nil: erased
	aead    cipher.AEAD // of secret
	fault   error       // why the stored key cannot be used: an ErrIntegrity
}

// newKey returns a key ready for use. Without a secret it is an erased one.
func newKey(id uuid.UUID, subject string, secret []byte) (*key, error) {
	k := &key{id: id, subject: subject, secret: secret}
	if secret == nil {
		return k, nil
	}
	var err error
	k.aead, err = newAEAD(secret)
	return k, err
}

// unusable returns the key of a row that cannot be unwrapped for good.
func unusable(row *StoredKey, err error) *key {
	return &key{id: row.KeyID, subject: row.Subject, fault: err}
}

// newAEAD returns AES-256-GCM, which draws its nonces itself and puts them before the ciphertext.
func newAEAD(secret []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func (k *key) isErased() bool { return k.secret == nil && k.fault == nil }

// Seal encrypts a value for the place it will stand at, under the key of the subject. The ring must be one that
// [Keys.ForSubjects] returned for the subject.
func (r *Ring) Seal(place Place, subject string, plaintext []byte) (Sealed, error) {
	k, err := r.forSealing(&place, subject)
	if err != nil {
		return Sealed{}, err
	}
	data := k.appendHead(make([]byte, 0, sealedBytes+len(plaintext)))
	return Sealed{k.aead.Seal(data, nil, plaintext, place.appendTo(make([]byte, 0, place.size()), k.id))}, nil
}

// Open decrypts a value that stands at place. erased reports that its subject was forgotten: there is no plaintext then, and
// that is no error. The ring must be one that [Keys.ByID] returned for the ID of its key. An error is a [*PlaceError]; it is
// an [ErrIntegrity] if the value is not what was sealed for this place.
func (r *Ring) Open(place Place, s Sealed) (plaintext []byte, erased bool, err error) {
	if err := checkSealed(s.data); err != nil {
		return nil, false, &PlaceError{place, err}
	}
	k, err := r.forOpening(s.KeyID())
	switch {
	case err != nil:
		return nil, false, &PlaceError{place, err}
	case k.isErased():
		return nil, true, nil
	}
	plaintext, err = k.aead.Open(nil, nil, s.data[headBytes:], place.appendTo(make([]byte, 0, place.size()), k.id))
	if err != nil {
		return nil, false, &PlaceError{place, errTag}
	}
	return plaintext, false, nil
}

// Subject returns whose key the ID is that of, if the ring has it; erased says that the subject was forgotten.
func (r *Ring) Subject(id uuid.UUID) (subject string, erased, ok bool) {
	k := r.byID[id]
	if k == nil {
		return "", false, false
	}
	return k.subject, k.isErased(), true
}

// AreErased reports whether the ring has the keys and all of them are erased.
func (r *Ring) AreErased(ids []uuid.UUID) bool {
	return !slices.ContainsFunc(ids, func(id uuid.UUID) bool { k := r.byID[id]; return k == nil || !k.isErased() })
}

// errNoKeys: a state is to be sealed with no key at all.
var errNoKeys = errors.New("privacy: a state is sealed with at least one key")
