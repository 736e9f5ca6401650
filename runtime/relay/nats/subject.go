package nats

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/eventmap/eventmap/runtime/relay"
)

// maxToken is how long a token of a subject may be. A subject has to fit into a control line of the protocol, which is 4,096
// bytes long by default.
const maxToken = 1000

// subject returns the subject of the messages of a message's stream.
func (p *Publisher) subject(m relay.Message) string {
	return p.logPrefix(m.Log) + "." + token(m.Stream.AggregateType) + "." + token(m.Stream.AggregateID)
}

// logPrefix returns what the subjects of a log begin with.
func (p *Publisher) logPrefix(log string) string {
	if log == "" || p.config.WithoutLog {
		return p.config.Prefix
	}
	return p.config.Prefix + "." + token(log)
}

// id returns the ID of a message. Two logs may have an event of the same ID.
func (p *Publisher) id(m relay.Message) string {
	if m.Log == "" || p.config.WithoutLog {
		return m.ID
	}
	return token(m.Log) + "/" + m.ID
}

// token returns a name as one token of a subject. What is too long becomes a hash, behind a sign that no other token begins with.
func token(name string) string {
	encoded := percent(name, func(c byte) bool { return isPlain(c) })
	if len(encoded) > maxToken {
		sum := sha256.Sum256([]byte(name))
		return "sha256=" + hex.EncodeToString(sum[:])
	}
	return encoded
}

// headerText returns an attribute as the HTTP and NATS bindings of CloudEvents have it in a header: printable ASCII, else
// percent-encoded UTF-8.
func headerText(value string) string {
	return percent(value, func(c byte) bool { return c > ' ' && c < utf8.RuneSelf-1 && c != '"' && c != '%' })
}

// percent returns text with every byte percent-encoded that stays reports false for.
func percent(text string, stays func(byte) bool) string {
	var b strings.Builder
	for i := range len(text) {
		if stays(text[i]) {
			b.WriteByte(text[i])
		} else {
			fmt.Fprintf(&b, "%%%02X", text[i])
		}
	}
	return b.String()
}

func isPlain(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_'
}

// isSubject reports whether text is a subject of plain tokens.
func isSubject(text string) bool {
	for token := range strings.SplitSeq(text, ".") {
		if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r >= utf8.RuneSelf || !isPlain(byte(r)) }) {
			return false
		}
	}
	return true
}
