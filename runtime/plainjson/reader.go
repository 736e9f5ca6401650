package plainjson

import (
	"encoding/json"
	"unicode/utf8"
	"unsafe"
)

// A Reader reads one payload. It is not safe for concurrent use.
type Reader struct {
	data   []byte
	at     int
	text   string // of data, where strings may share it
	failed bool
}

// NewReader returns a reader of a payload, which must not change while it reads. It keeps nothing of it.
func NewReader(payload []byte) Reader { return Reader{data: payload} }

// End reports whether the whole payload was read. If not, encoding/json has to read it, into a new value.
func (r *Reader) End() bool { return r.peek() == 0 && r.at == len(r.data) && !r.failed }

// fail leaves the payload to encoding/json. Nothing more can be read.
func (r *Reader) fail() { *r = Reader{failed: true} }

// peek skips white space and returns the next byte, or 0 at the end and after a failure.
func (r *Reader) peek() byte {
	if r.at < len(r.data) && r.data[r.at] > ' ' {
		return r.data[r.at]
	}
	return r.peekBeyondSpace()
}

func (r *Reader) peekBeyondSpace() byte {
	for ; r.at < len(r.data); r.at++ {
		switch c := r.data[r.at]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// take takes the next byte, which has to be c.
func (r *Reader) take(c byte) {
	if r.peek() != c || c == 0 {
		r.fail()
		return
	}
	r.at++
}

// FirstMember begins an object and returns the name of its first member, or "" if there is none.
func (r *Reader) FirstMember() string {
	r.take('{')
	if r.peek() == '}' {
		r.at++
		return ""
	}
	return r.name()
}

// NextMember returns the name of the next member, or "" at the end of the object.
func (r *Reader) NextMember() string {
	if r.peek() == '}' {
		r.at++
		return ""
	}
	r.take(',')
	return r.name()
}

// name returns the name of a member. It is valid until the payload changes.
func (r *Reader) name() string {
	literal, plain := r.literal()
	r.take(':')
	if !plain || len(literal) == 2 || r.failed {
		r.fail()
		return ""
	}
	return unsafe.String(&literal[1], len(literal)-2)
}

// Once notes that a member is read. A second time it leaves the payload to encoding/json.
func (r *Reader) Once(seen *uint64, member uint) {
	if *seen&(1<<member) != 0 {
		r.fail()
	}
	*seen |= 1 << member
}

// Skip skips a member that is none of the known ones. One that encoding/json may take for one of them leaves the payload to
// it.
func (r *Reader) Skip(name string, known ...string) {
	for i := range len(name) {
		if name[i] >= utf8.RuneSelf {
			r.fail()
			return
		}
	}
	for _, k := range known {
		if folds(name, k) {
			r.fail()
			return
		}
	}
	if raw := r.raw(); r.failed || !json.Valid(raw) {
		r.fail()
	}
}

// folds reports whether two names of ASCII differ in nothing but case, hyphens and underscores.
func folds(a, b string) bool {
	i, j := 0, 0
	for {
		for i < len(a) && (a[i] == '-' || a[i] == '_') {
			i++
		}
		for j < len(b) && (b[j] == '-' || b[j] == '_') {
			j++
		}
		if i == len(a) || j == len(b) {
			return i == len(a) && j == len(b)
		}
		if lower(a[i]) != lower(b[j]) {
			return false
		}
		i++
		j++
	}
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// maxDepth bounds how deep a value is nested that encoding/json reads in its place, which has a bound of its own.
const maxDepth = 1000

// raw returns the value that is next, as far as brackets and quotes tell where it ends.
func (r *Reader) raw() []byte {
	r.peek()
	begin, depth := r.at, 0
	for r.at < len(r.data) {
		c := r.data[r.at]
		if depth == 0 && r.at > begin && (c == '"' || c == '{' || c == '[') {
			return r.data[begin:r.at] // what follows without a comma is another value
		}
		switch c {
		case '"':
			literal, _ := r.literal()
			if depth == 0 {
				return literal
			}
			continue
		case '{', '[':
			depth++
			if depth > maxDepth {
				r.fail()
				return nil
			}
		case '}', ']':
			if depth == 0 {
				return r.data[begin:r.at]
			}
			depth--
			if depth == 0 {
				r.at++
				return r.data[begin:r.at]
			}
		case ',', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return r.data[begin:r.at]
			}
		}
		r.at++
	}
	r.fail()
	return nil
}

// Value reads a value into v by encoding/json.
func (r *Reader) Value(v any) {
	if r.peek() == 'n' { // what null does depends on what is around it
		r.fail()
		return
	}
	if raw := r.raw(); r.failed || json.Unmarshal(raw, v) != nil {
		r.fail()
	}
}

// ValueOrNull reads a value into v by encoding/json, or leaves v as it is if null is next: v points to a nil pointer, slice or
// map.
func (r *Reader) ValueOrNull(v any) {
	if !r.null() {
		r.Value(v)
	}
}

// null takes null, if it is next.
func (r *Reader) null() bool {
	if r.peek() != 'n' {
		return false
	}
	if len(r.data)-r.at < 4 || string(r.data[r.at:r.at+4]) != "null" {
		r.fail()
		return true
	}
	r.at += 4
	return true
}
