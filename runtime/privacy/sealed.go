package privacy

import (
	"bytes"
	"encoding/base64"
	"errors"

	"github.com/google/uuid"
)

// A Sealed is an encrypted value as it is stored: a number of the format, the ID of its key, a nonce, the ciphertext and the
// tag. In JSON it is an object with one member, so that no text of a user can be taken for one:
//
//	{"$sealed":"AQGPAAAAAAB..."}
//
// The zero value is none and cannot be stored.
type Sealed struct{ data []byte }

const (
	sealedFormat = 1
	headBytes    = 1 + 16 // the format and the ID of the key
	nonceBytes   = 12
	tagBytes     = 16
	sealedBytes  = headBytes + nonceBytes + tagBytes // without the ciphertext

	sealedMember = `"$sealed"`
	sealedHead   = `{"$sealed":"` // as it is written
	sealedTail   = `"}`
)

// IsZero reports whether s is no sealed value.
func (s Sealed) IsZero() bool { return len(s.data) == 0 }

// KeyID returns the ID of the key that s is sealed with.
func (s Sealed) KeyID() uuid.UUID {
	if len(s.data) < headBytes {
		return uuid.Nil
	}
	return uuid.UUID(s.data[1:headBytes])
}

// MarshalBinary returns the bytes that the JSON form holds, for codecs that are not JSON.
func (s Sealed) MarshalBinary() ([]byte, error) {
	if s.IsZero() {
		return nil, errors.New("privacy: the zero Sealed cannot be stored")
	}
	return s.data, nil
}

// UnmarshalBinary reads what MarshalBinary returned. It keeps a copy. The error is an [ErrIntegrity].
func (s *Sealed) UnmarshalBinary(data []byte) error {
	if err := checkSealed(data); err != nil {
		return err
	}
	s.data = bytes.Clone(data)
	return nil
}

// checkSealed looks at what can be seen without the key.
func checkSealed(data []byte) error {
	switch {
	case len(data) < sealedBytes:
		return notAuthentic("it has %d bytes and is truncated", len(data))
	case data[0] != sealedFormat:
		return notAuthentic("its format is %d, and this release knows %d", data[0], sealedFormat)
	}
	return nil
}

// AppendJSON appends the JSON form.
func (s Sealed) AppendJSON(to []byte) []byte { return appendSealed(to, s.data) }

// MarshalJSON returns the JSON form.
func (s Sealed) MarshalJSON() ([]byte, error) {
	if s.IsZero() {
		return nil, errors.New("privacy: the zero Sealed cannot be stored")
	}
	return s.AppendJSON(make([]byte, 0, len(sealedHead)+len(sealedTail)+base64.StdEncoding.EncodedLen(len(s.data)))), nil
}

// UnmarshalJSON reads the JSON form. Anything else, null included, is an [ErrIntegrity] that does not quote it.
func (s *Sealed) UnmarshalJSON(value []byte) error {
	data, err := decodeSealed(nil, value)
	if err != nil {
		return err
	}
	s.data = data
	return nil
}

// strict takes one form of a value only, so that nobody can give it another without the tag noticing.
var strict = base64.StdEncoding.Strict()

// IsSealed reports whether a JSON value has the form of a sealed one: an object whose only member is "$sealed", a text of
// the letters of base64. Whether it is authentic is not looked at.
func IsSealed(value []byte) bool {
	_, ok := sealedText(value)
	return ok
}

// sealedText returns the text of {"$sealed":"text"}. White space is taken where a database may put it.
func sealedText(value []byte) ([]byte, bool) {
	rest, ok := cut(value, "{")
	for _, token := range [...]string{sealedMember, ":", `"`} {
		if ok {
			rest, ok = cut(rest, token)
		}
	}
	if !ok {
		return nil, false
	}
	end := bytes.IndexByte(rest, '"')
	if end < 0 || bytes.IndexByte(rest[:end], '\n') >= 0 || bytes.IndexByte(rest[:end], '\r') >= 0 { // which base64 would skip
		return nil, false
	}
	tail, ok := cut(rest[end+1:], "}")
	return rest[:end], ok && len(trimSpace(tail)) == 0
}

// asWritten returns what stands where a value as this package writes it has its text. It may hold anything.
func asWritten(value []byte) ([]byte, bool) {
	n := len(value) - len(sealedTail)
	if n < len(sealedHead) || string(value[:len(sealedHead)]) != sealedHead || string(value[n:]) != sealedTail {
		return nil, false
	}
	return value[len(sealedHead):n], true
}

// cut returns what follows the token, which white space may precede.
func cut(data []byte, token string) ([]byte, bool) {
	data = trimSpace(data)
	if len(data) < len(token) || string(data[:len(token)]) != token {
		return nil, false
	}
	return data[len(token):], true
}

// trimSpace cuts JSON's white space off the front.
func trimSpace(data []byte) []byte {
	for len(data) > 0 && (data[0] == ' ' || data[0] == '\n' || data[0] == '\t' || data[0] == '\r') {
		data = data[1:]
	}
	return data
}

// AppendKeyIDs appends the IDs of the keys of all sealed values in a JSON text, in order; the same one may come again. It is
// for asking for the keys of a batch at once, before its events are decoded. A text of a user that looks like a sealed value
// adds an ID that no key has, which [Keys.ByID] takes.
func AppendKeyIDs(ids []uuid.UUID, payload []byte) []uuid.UUID {
	for {
		i := bytes.Index(payload, []byte(sealedMember))
		if i < 0 {
			return ids
		}
		rest := payload[i+len(sealedMember):]
		payload = rest
		for _, token := range [...]string{":", `"`} {
			if rest != nil {
				rest, _ = cut(rest, token)
			}
		}
		const letters = (headBytes + 2) / 3 * 4 // of base64 that hold the head
		if len(rest) < letters {
			continue
		}
		var head [letters / 4 * 3]byte
		if n, err := base64.StdEncoding.Decode(head[:], rest[:letters]); err != nil || n < headBytes || head[0] != sealedFormat {
			continue
		}
		ids = append(ids, uuid.UUID(head[1:headBytes]))
	}
}
