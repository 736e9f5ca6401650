package plainjson

import (
	"encoding/json"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
	"unsafe"
)

// ReadBool reads a bool.
func ReadBool[T ~bool](r *Reader, v *T) {
	switch c := r.peek(); {
	case c == 't' && len(r.data)-r.at >= 4 && string(r.data[r.at:r.at+4]) == "true":
		r.at += 4
		*v = true
	case c == 'f' && len(r.data)-r.at >= 5 && string(r.data[r.at:r.at+5]) == "false":
		r.at += 5
		*v = false
	default:
		r.fail()
	}
}

// digits takes a number without sign, fraction and exponent. A leading zero stands alone.
func (r *Reader) digits() uint64 {
	begin, n := r.at, uint64(0)
	for ; r.at < len(r.data); r.at++ {
		c := r.data[r.at] - '0'
		if c > 9 {
			break
		}
		if n > (math.MaxUint64-9)/10 {
			r.fail()
			return 0
		}
		n = 10*n + uint64(c)
	}
	if size := r.at - begin; size == 0 || size > 1 && r.data[begin] == '0' {
		r.fail()
	}
	return n
}

// integral reports that a number has ended where it has, without a fraction or an exponent.
func (r *Reader) integral() {
	if r.at < len(r.data) {
		switch r.data[r.at] {
		case '.', 'e', 'E':
			r.fail()
		}
	}
}

// ReadInt reads a signed integer.
func ReadInt[T ~int | ~int8 | ~int16 | ~int32 | ~int64](r *Reader, v *T) {
	negative := r.peek() == '-'
	if negative {
		r.at++
	}
	n := r.digits()
	r.integral()
	if n > math.MaxInt64 { // the least int64 too is left to encoding/json
		r.fail()
		return
	}
	value := int64(n)
	if negative {
		value = -value
	}
	*v = T(value)
	if int64(*v) != value {
		r.fail()
	}
}

// ReadUint reads an unsigned integer.
func ReadUint[T ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr](r *Reader, v *T) {
	r.peek()
	n := r.digits()
	r.integral()
	*v = T(n)
	if uint64(*v) != n {
		r.fail()
	}
}

// ReadFloat reads a float. One with an exponent is left to encoding/json.
func ReadFloat[T ~float32 | ~float64](r *Reader, v *T) {
	r.peek()
	begin := r.at
	if r.at < len(r.data) && r.data[r.at] == '-' {
		r.at++
	}
	if r.at < len(r.data) && r.data[r.at] == '0' {
		r.at++
	} else {
		r.someDigits()
	}
	if r.at < len(r.data) && r.data[r.at] == '.' {
		r.at++
		r.someDigits()
	}
	r.integral()
	if r.failed {
		return
	}
	f, err := strconv.ParseFloat(unsafe.String(&r.data[begin], r.at-begin), 8*int(unsafe.Sizeof(*v)))
	if err != nil {
		r.fail()
	}
	*v = T(f)
}

// someDigits takes digits, of which there has to be one.
func (r *Reader) someDigits() {
	begin := r.at
	for r.at < len(r.data) && r.data[r.at]-'0' <= 9 {
		r.at++
	}
	if r.at == begin {
		r.fail()
	}
}

// literal takes a string with its quotes, and reports whether it stands for itself: it has no escape and is valid.
func (r *Reader) literal() (literal []byte, plain bool) {
	if r.peek() != '"' {
		r.fail()
		return nil, false
	}
	begin, i := r.at, r.at+1
	for i < len(r.data) && plainByte[r.data[i]] {
		i++
	}
	if i < len(r.data) && r.data[i] == '"' {
		r.at = i + 1
		return r.data[begin:r.at], true
	}
	return r.longLiteral(begin, i)
}

// longLiteral is literal from its first byte on that is not plain.
func (r *Reader) longLiteral(begin, i int) (literal []byte, plain bool) {
	escapes := false
	for ; i < len(r.data); i++ {
		switch c := r.data[i]; {
		case c == '"':
			r.at = i + 1
			literal = r.data[begin:r.at]
			return literal, !escapes && utf8.Valid(literal)
		case c == '\\':
			escapes = true
			i++
		case c < ' ':
			r.fail()
			return nil, false
		}
	}
	r.fail()
	return nil, false
}

// maxShared is how long a payload may be for its strings to share one copy of it, which stays as long as one of them does.
const maxShared = 1 << 10

// ReadString reads a string.
func ReadString[T ~string](r *Reader, v *T) {
	literal, plain := r.literal()
	switch {
	case r.failed:
	case !plain:
		var s string
		if json.Unmarshal(literal, &s) != nil {
			r.fail()
		}
		*v = T(s)
	case len(literal) == 2:
		*v = ""
	case len(r.data) > maxShared:
		*v = T(literal[1 : len(literal)-1])
	default:
		if r.text == "" {
			r.text = string(r.data)
		}
		*v = T(r.text[r.at-len(literal)+1 : r.at-1])
	}
}

// ReadTime reads a time as its UnmarshalJSON does.
func ReadTime(r *Reader, v *time.Time) {
	literal, plain := r.literal()
	if !plain || r.failed || v.UnmarshalJSON(literal) != nil {
		r.fail()
	}
}

// ReadPointer reads null, or what read reads into a new value.
func ReadPointer[T any](r *Reader, v **T, read func(*Reader, *T)) {
	if r.null() {
		*v = nil
		return
	}
	*v = new(T)
	read(r, *v)
}

// ReadSlice reads null, or an array of what read reads.
func ReadSlice[S ~[]T, T any](r *Reader, v *S, read func(*Reader, *T)) {
	if r.null() {
		*v = nil
		return
	}
	r.take('[')
	*v = S{}
	if r.peek() == ']' {
		r.at++
		return
	}
	for !r.failed {
		var element T
		read(r, &element)
		*v = append(*v, element)
		if r.peek() == ']' {
			r.at++
			return
		}
		r.take(',')
	}
}
