package privacy

import (
	"encoding/base64"
	"fmt"
	"slices"

	"github.com/google/uuid"
)

// A Cipher seals and opens many values, as they stand in JSON. It reuses its room, so that a value costs no allocation of its
// own. It is not safe for concurrent use.
type Cipher struct {
	ring   *Ring
	beyond *cache // where a key is that the ring does not know of; nil: nowhere
	added  *Ring  // keys that were asked for since, or nil
	last   *key   // that opened a value: the next one is often of the same subject
	used   []uuid.UUID
	bytes  []byte // of a value, as Sealed has them
	place  []byte // as additional data
}

// Cipher returns a cipher with the keys of the ring.
func (r *Ring) Cipher() *Cipher { return &Cipher{ring: r} }

// Cipher returns a cipher that opens values with keys which are cached. One whose key is not is an [ErrNotCached]: ask
// [Keys.ByID] for it, and [Cipher.Add] it.
func (k *Keys[Tx]) Cipher() *Cipher {
	c := &Cipher{ring: newRing(), beyond: k.cache}
	if k.only != nil {
		c.beyond = newCache(0, 0, k.now) // only ByID conceals the keys of others
	}
	return c
}

// Add adds the keys of a ring, in place of those that it added before. From then on a key that is missing is no
// [ErrNotCached].
func (c *Cipher) Add(r *Ring) { c.added, c.beyond = r, nil }

// KeyIDs returns the IDs of the keys of all values that were opened, erased ones too. Some may come more than once.
func (c *Cipher) KeyIDs() []uuid.UUID { return c.used }

// AppendSealed appends the JSON form of a value that is sealed for place, under the key of the subject; see [Ring.Seal].
func (c *Cipher) AppendSealed(to []byte, place *Place, subject string, plaintext []byte) ([]byte, error) {
	k, err := c.ring.forSealing(place, subject)
	if err != nil {
		return nil, err
	}
	c.place = place.appendTo(c.place[:0], k.id)
	c.bytes = slices.Grow(c.bytes[:0], sealedBytes+len(plaintext))
	c.bytes = k.aead.Seal(k.appendHead(c.bytes), nil, plaintext, c.place)
	return appendSealed(to, c.bytes), nil
}

// AppendOpened appends what the JSON form of a sealed value at place decrypts to; see [Ring.Open]. Of an erased value it
// appends nothing. A value that is not sealed is an [ErrIntegrity] too. Errors do not quote it.
func (c *Cipher) AppendOpened(to []byte, place *Place, sealed []byte) (opened []byte, erased bool, err error) {
	c.bytes, err = decodeSealed(c.bytes, sealed)
	if err != nil {
		return nil, false, &PlaceError{*place, err}
	}
	id := uuid.UUID(c.bytes[1:headBytes])
	if c.last == nil || c.last.id != id {
		if err := c.take(id); err != nil {
			return nil, false, &PlaceError{*place, err}
		}
	}
	if c.last.isErased() {
		return to, true, nil
	}
	c.place = place.appendTo(c.place[:0], id)
	opened, err = c.last.aead.Open(to, nil, c.bytes[headBytes:], c.place)
	if err != nil {
		return nil, false, &PlaceError{*place, errTag}
	}
	return opened, false, nil
}

// take makes the key of an ID the one that values are opened with.
func (c *Cipher) take(id uuid.UUID) (err error) {
	ring := c.ring
	if _, asked := ring.byID[id]; !asked {
		switch {
		case c.added != nil:
			ring = c.added
		case c.beyond != nil && !c.beyond.ofID(ring, id):
			return ErrNotCached
		}
	}
	if c.last, err = ring.forOpening(id); err == nil {
		c.used = append(c.used, id)
	}
	return err
}

// errTag: the tag of a value does not fit what is decrypted, or where it stands.
var errTag = notAuthentic("it was changed, or sealed for another place")

// forSealing returns the key of a subject.
func (r *Ring) forSealing(place *Place, subject string) (*key, error) {
	if k := r.bySubject[subject]; k != nil {
		return k, nil
	}
	return nil, &PlaceError{*place, fmt.Errorf("no key of subject %q was asked for", subject)}
}

// forOpening returns the key of an ID, erased or not.
func (r *Ring) forOpening(id uuid.UUID) (*key, error) {
	switch k, asked := r.byID[id]; {
	case !asked:
		return nil, fmt.Errorf("key %s was not asked for", id)
	case k == nil:
		return nil, missing(id)
	case k.fault != nil:
		return nil, k.fault
	default:
		return k, nil
	}
}

// appendHead appends what a value that the key seals begins with.
func (k *key) appendHead(data []byte) []byte {
	data = append(data, sealedFormat)
	return append(data, k.id[:]...)
}

// appendSealed appends the JSON form of a sealed value.
func appendSealed(to, data []byte) []byte {
	to = append(to, sealedHead...)
	to = base64.StdEncoding.AppendEncode(to, data)
	return append(to, sealedTail...)
}

// decodeSealed returns the bytes of a sealed value's JSON form, in room if they fit. The error is an [ErrIntegrity]; the room
// is returned with it.
func decodeSealed(room, value []byte) ([]byte, error) {
	if text, ok := asWritten(value); ok && len(text)%4 == 0 {
		data, err := strict.AppendDecode(room[:0], text)
		if err == nil && len(data) > strict.DecodedLen(len(text))-3 { // fewer are left where line breaks were passed over
			return data, checkSealed(data)
		}
	}
	text, ok := sealedText(value)
	if !ok {
		return room, notAuthentic("there is a value in clear or of another form where a sealed one is expected")
	}
	data, err := strict.AppendDecode(room[:0], text)
	if err != nil {
		return data, notAuthentic("it is not base64")
	}
	return data, checkSealed(data)
}
