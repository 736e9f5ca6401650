package mapping

import (
	"bytes"
	"encoding/json"
	"slices"
)

// members walks the members of a JSON object. It checks no more than it needs to find them.
type members struct {
	data  []byte
	at    int // where the next member or the end is looked for
	first bool
	whole bool // the object ended as it has to

	name                []byte // good until the next one
	nameFrom, nameTo    int    // of the name, with its quotes
	valueFrom, valueEnd int
}

func newMembers(data []byte) members {
	m := members{data: data, first: true}
	m.space()
	if m.at < len(data) && data[m.at] == '{' {
		m.at++
	} else {
		m.at = len(data) + 1
	}
	return m
}

// next goes to the next member and reports whether there is one.
func (m *members) next() bool {
	m.space()
	if m.at >= len(m.data) {
		return false
	}
	if m.data[m.at] == '}' {
		m.at++
		m.space()
		m.whole = m.at == len(m.data)
		m.at = len(m.data) + 1
		return false
	}
	if !m.first && !m.skip(',') {
		return false
	}
	m.first = false
	m.space()
	m.nameFrom = m.at
	if !m.text() {
		return false
	}
	m.nameTo = m.at
	m.name = m.data[m.nameFrom+1 : m.nameTo-1]
	if bytes.IndexByte(m.name, '\\') >= 0 {
		var name string
		if json.Unmarshal(m.quoted(), &name) != nil {
			return false
		}
		m.name = []byte(name)
	}
	m.space()
	if !m.skip(':') {
		return false
	}
	m.space()
	m.valueFrom = m.at
	if !m.any() {
		return false
	}
	m.valueEnd = m.at
	return true
}

// isWhole reports, after next has returned false, whether it was the end of the object and of the data.
func (m *members) isWhole() bool { return m.whole }

// quoted returns the member's name as it is written, value its value.
func (m *members) quoted() []byte { return m.data[m.nameFrom:m.nameTo] }
func (m *members) value() []byte  { return m.data[m.valueFrom:m.valueEnd] }

func (m *members) space() {
	for m.at < len(m.data) && (m.data[m.at] == ' ' || m.data[m.at] == '\n' || m.data[m.at] == '\t' || m.data[m.at] == '\r') {
		m.at++
	}
}

func (m *members) skip(b byte) bool {
	if m.at >= len(m.data) || m.data[m.at] != b {
		return false
	}
	m.at++
	return true
}

// text passes a string.
func (m *members) text() bool {
	if !m.skip('"') {
		return false
	}
	for {
		rest := m.data[m.at:]
		end := bytes.IndexByte(rest, '"')
		if end < 0 {
			return false
		}
		escape := bytes.IndexByte(rest[:end], '\\')
		if escape < 0 {
			m.at += end + 1
			return true
		}
		m.at += escape + 2
	}
}

// any passes a value of any kind.
func (m *members) any() bool {
	if m.sealed() {
		return true
	}
	from, depth := m.at, 0
	for m.at < len(m.data) {
		switch m.data[m.at] {
		case '"':
			if !m.text() {
				return false
			}
			if depth == 0 {
				return true
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return m.at > from
			}
			if depth--; depth == 0 {
				m.at++
				return true
			}
		case ',', ' ', '\n', '\t', '\r':
			if depth == 0 {
				return m.at > from
			}
		}
		m.at++
	}
	return false
}

// sealedHead and sealedTail are around the text of a sealed value as it is written.
const (
	sealedHead = `{"$sealed":"`
	sealedTail = `"}`
)

// sealed passes a sealed value that stands as it was written, which is what a personal member mostly has.
func (m *members) sealed() bool {
	rest := m.data[m.at:]
	if len(rest) < len(sealedHead) || string(rest[:len(sealedHead)]) != sealedHead {
		return false
	}
	text := rest[len(sealedHead):]
	end := bytes.IndexByte(text, '"')
	if end < 0 || len(text) < end+len(sealedTail) || string(text[end:end+len(sealedTail)]) != sealedTail || bytes.IndexByte(text[:end], '\\') >= 0 {
		return false
	}
	m.at += len(sealedHead) + end + len(sealedTail)
	return true
}

// A block is memory in which objects are written one behind the other, so that many take few allocations. The next one is
// longer, up to blockBytes, unless an object needs more. An object that is kept keeps its block. The zero value is ready for use.
type block struct {
	rest []byte // the room that is left
	size int
}

const blockBytes = 16 << 10

// object begins an object that has about size bytes.
func (b *block) object(size int) object {
	if cap(b.rest) < size {
		b.size = max(size, min(2*b.size, blockBytes))
		b.rest = make([]byte, 0, b.size)
	}
	return object{append(b.rest, '{')}
}

// end ends the object that was begun last and returns it. To append to it is to copy it.
func (b *block) end(o object) []byte {
	written := append(o.bytes, '}')
	b.rest = written[len(written):]
	return slices.Clip(written)
}

// An object is a JSON object that is being written.
type object struct{ bytes []byte }

// key adds the name of a member, which is quoted.
func (o *object) key(quoted []byte) {
	if len(o.bytes) > 1 {
		o.bytes = append(o.bytes, ',')
	}
	o.bytes = append(o.bytes, quoted...)
	o.bytes = append(o.bytes, ':')
}

func (o *object) add(quoted, value []byte) {
	o.key(quoted)
	o.bytes = append(o.bytes, value...)
}
