package privacy

import (
	"context"
	"crypto/cipher"
	"fmt"
)

// A KeyWrapper encrypts keys, and decrypts them again, by a key that never leaves a key management service. A
// *secrets.Keeper of gocloud.dev/secrets is one, for AWS KMS, Google Cloud KMS, Azure Key Vault and HashiCorp Vault. It must
// be safe for concurrent use. Any error is taken for a service that cannot be reached; see [ErrUnavailable].
type KeyWrapper interface {
	// Encrypt returns plaintext, which is a key, encrypted. The same plaintext may give another result each time.
	Encrypt(ctx context.Context, plaintext []byte) ([]byte, error)
	// Decrypt returns what Encrypt was given, or an error if ciphertext is not of this wrapper's key.
	Decrypt(ctx context.Context, ciphertext []byte) ([]byte, error)
}

// A LocalWrapper wraps keys by a secret that the program holds itself. Whoever has the secret and the database can read
// everything that is not erased, so it is for tests, for development, and for whoever keeps the secret as carefully as a key
// management service would.
type LocalWrapper struct{ aead cipher.AEAD }

// NewLocalWrapper returns a wrapper for a secret of 32 random bytes.
func NewLocalWrapper(secret []byte) (*LocalWrapper, error) {
	if len(secret) != 32 {
		return nil, fmt.Errorf("privacy: the secret has %d bytes, not 32", len(secret))
	}
	aead, err := newAEAD(secret)
	if err != nil {
		return nil, err
	}
	return &LocalWrapper{aead}, nil
}

// localData keeps what a LocalWrapper encrypts apart from all else that the same secret may encrypt.
var localData = []byte("eventmap wrapped key")

// Encrypt encrypts plaintext.
func (w *LocalWrapper) Encrypt(_ context.Context, plaintext []byte) ([]byte, error) {
	return w.aead.Seal(nil, nil, plaintext, localData), nil
}

// Decrypt decrypts what Encrypt returned.
func (w *LocalWrapper) Decrypt(_ context.Context, ciphertext []byte) ([]byte, error) {
	return w.aead.Open(nil, nil, ciphertext, localData)
}
