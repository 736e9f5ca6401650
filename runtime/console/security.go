package console

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"path"
	"strings"
	"time"
)

// secure sets the headers of every answer. Nothing but the console's own style sheet and script is loaded, nobody frames
// it, and nothing is kept by caches.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "+
		"form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	h.Set("Cache-Control", "no-store")
}

// folder returns a reference, relative to the address that the client has used, to the same with a slash at its end.
func folder(r *http.Request) string {
	asked, query, _ := strings.Cut(r.RequestURI, "?")
	target := "./" + path.Base(asked) + "/"
	if query != "" {
		target += "?" + query
	}
	return target
}

// minKey is the least length of a key in bytes.
const minKey = 32

// validity is how long a form can be sent after it was shown.
const validity = 12 * time.Hour

// A signer signs what comes back from a browser: the right of a user to send a form, and the notice of a result.
type signer struct{ key []byte }

func (s signer) sum(parts ...string) []byte {
	mac := hmac.New(sha256.New, s.key)
	var n [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		mac.Write(n[:])
		mac.Write([]byte(p))
	}
	return mac.Sum(nil)
}

// token returns what makes a form of a user's valid for a while.
func (s signer) token(user string, now time.Time) string {
	var at [8]byte
	binary.BigEndian.PutUint64(at[:], uint64(now.Unix()))
	return base64.RawURLEncoding.EncodeToString(append(at[:], s.sum("token", user, string(at[:]))...))
}

// valid reports whether a token is of the user's and not too old.
func (s signer) valid(token, user string, now time.Time) bool {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) != 8+sha256.Size {
		return false
	}
	at, sum := b[:8], b[8:]
	age := now.Sub(time.Unix(int64(binary.BigEndian.Uint64(at)), 0))
	return hmac.Equal(sum, s.sum("token", user, string(at))) && age > -time.Minute && age < validity
}

// sign returns a text in a form that only this console makes.
func (s signer) sign(text string) string {
	return base64.RawURLEncoding.EncodeToString(append(s.sum("notice", text), text...))
}

// read returns a text that was signed, or nothing.
func (s signer) read(signed string) string {
	b, err := base64.RawURLEncoding.DecodeString(signed)
	if err != nil || len(b) < sha256.Size {
		return ""
	}
	if text := string(b[sha256.Size:]); hmac.Equal(b[:sha256.Size], s.sum("notice", text)) {
		return text
	}
	return ""
}
