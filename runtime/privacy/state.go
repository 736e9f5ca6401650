package privacy

import (
	"bytes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/google/uuid"
)

// A StatePlace is where a sealed state stands: which snapshot of which stream it is.
type StatePlace struct {
	AggregateType string
	AggregateID   string
	Fingerprint   string
	Version       int64
}

// A sealed state is a format, the number of keys, their IDs in order, a nonce, the ciphertext and the tag.
const stateFormat = 1

// SealState encrypts a state under a key that is derived from all the named ones, those of the values that the state was
// folded from: forgetting any of their subjects makes it unreadable. The ring must hold the keys. Their IDs may repeat; used
// are the IDs as they are stored beside the state, sorted and each once. Erased keys among them are left out, for nothing of
// theirs is in the state; if no others are left the state is nobody's, and it is an error to seal it.
func (r *Ring) SealState(place StatePlace, keyIDs []uuid.UUID, plaintext []byte) (sealed []byte, used []uuid.UUID, err error) {
	for _, id := range keyIDs {
		k := r.byID[id]
		switch {
		case k == nil:
			return nil, nil, fmt.Errorf("seal the state of %s %q: key %s was not asked for", place.AggregateType, place.AggregateID, id)
		case k.fault != nil:
			return nil, nil, fmt.Errorf("seal the state of %s %q: %w", place.AggregateType, place.AggregateID, k.fault)
		}
		if !k.isErased() {
			used = append(used, id)
		}
	}
	slices.SortFunc(used, compareIDs)
	used = slices.Compact(used)
	if len(used) == 0 {
		return nil, nil, errNoKeys
	}
	head := append(make([]byte, 0, 5+16*len(used)+nonceBytes+len(plaintext)+tagBytes), stateFormat)
	head = binary.BigEndian.AppendUint32(head, uint32(len(used)))
	for _, id := range used {
		head = append(head, id[:]...)
	}
	aead, err := r.stateAEAD(used)
	if err != nil {
		return nil, nil, err
	}
	return aead.Seal(head, nil, plaintext, place.additional(head)), used, nil
}

// StateKeyIDs returns the IDs of the keys that a sealed state needs. The error is an [ErrIntegrity].
func StateKeyIDs(sealed []byte) ([]uuid.UUID, error) {
	if len(sealed) < 5 || sealed[0] != stateFormat {
		return nil, notAuthentic("it does not begin as a sealed state does")
	}
	count := uint64(binary.BigEndian.Uint32(sealed[1:]))
	if count == 0 || uint64(len(sealed)) < 5+16*count+nonceBytes+tagBytes {
		return nil, notAuthentic("it has %d bytes and is truncated", len(sealed))
	}
	ids := make([]uuid.UUID, count)
	for i := range ids {
		copy(ids[i][:], sealed[5+16*i:])
	}
	return ids, nil
}

// OpenState decrypts a state. erased reports that one of the subjects was forgotten, so that it cannot be read: fold the
// events instead. The ring must be one that [Keys.ByID] returned for [StateKeyIDs]. Its error is an [ErrIntegrity] if the
// state is not what was sealed for this place.
func (r *Ring) OpenState(place StatePlace, sealed []byte) (plaintext []byte, erased bool, err error) {
	ids, err := StateKeyIDs(sealed)
	if err != nil {
		return nil, false, place.fault(err)
	}
	for _, id := range ids {
		k, asked := r.byID[id]
		switch {
		case !asked:
			return nil, false, place.fault(fmt.Errorf("key %s was not asked for", id))
		case k == nil:
			return nil, false, place.fault(missing(id))
		case k.fault != nil:
			return nil, false, place.fault(k.fault)
		case k.isErased():
			return nil, true, nil
		}
	}
	aead, err := r.stateAEAD(ids)
	if err != nil {
		return nil, false, place.fault(err)
	}
	head := sealed[:5+16*len(ids)]
	plaintext, err = aead.Open(nil, nil, sealed[len(head):], place.additional(head))
	if err != nil {
		return nil, false, place.fault(notAuthentic("it was changed, or is that of another snapshot"))
	}
	return plaintext, false, nil
}

// stateAEAD returns the cipher of the key that is derived from all the keys.
func (r *Ring) stateAEAD(ids []uuid.UUID) (cipher.AEAD, error) {
	secrets := make([]byte, 0, 32*len(ids))
	for _, id := range ids {
		secrets = append(secrets, r.byID[id].secret...)
	}
	derived, err := hkdf.Key(sha256.New, secrets, nil, "eventmap state", 32)
	if err != nil {
		return nil, err
	}
	return newAEAD(derived)
}

// additional returns the place and the head as additional data.
func (p *StatePlace) additional(head []byte) []byte {
	data := append([]byte("eventmap state\x00"), head...)
	data = binary.BigEndian.AppendUint64(data, uint64(p.Version))
	for _, part := range [...]string{p.AggregateType, p.AggregateID, p.Fingerprint} {
		data = appendText(data, part)
	}
	return data
}

func (p *StatePlace) fault(err error) error {
	return fmt.Errorf("state of %s %q at version %d: %w", p.AggregateType, p.AggregateID, p.Version, err)
}

func compareIDs(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }
