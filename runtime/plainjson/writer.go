package plainjson

import (
	"encoding/json"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
	"unsafe"
)

// A Writer writes payloads, one after the other. The zero value is ready for use. It is not safe for concurrent use.
type Writer struct {
	buf    []byte // of all payloads since it was made
	start  int    // of this one
	failed bool
}

// firstBuffer is how much room the first payload is given: as much as most events need.
const firstBuffer = 128

// Begin begins a payload.
func (w *Writer) Begin() {
	if w.buf == nil {
		w.buf = make([]byte, 0, firstBuffer)
	}
	w.start, w.failed = len(w.buf), false
}

// End returns the payload, or false if encoding/json has to write it. The payload is the caller's; to append to it is to
// copy it.
func (w *Writer) End() ([]byte, bool) {
	if w.failed {
		w.buf = w.buf[:w.start]
		return nil, false
	}
	return w.buf[w.start:len(w.buf):len(w.buf)], true
}

// Raw writes JSON as it is: what stands between the values of an object.
func (w *Writer) Raw(json string) { w.buf = append(w.buf, json...) }

// Member begins a member that others may or may not stand before, by its name, which is given with its quotes and its colon.
func (w *Writer) Member(name string) {
	buf := w.buf
	if buf[len(buf)-1] != '{' {
		buf = append(buf, ',')
	}
	w.buf = append(buf, name...)
}

// Value writes what v points to by encoding/json.
func (w *Writer) Value(v any) {
	value, err := json.Marshal(v)
	if err != nil {
		w.failed = true
		return
	}
	w.buf = append(w.buf, value...)
}

// WriteBool writes a bool.
func WriteBool[T ~bool](w *Writer, v *T) { w.buf = strconv.AppendBool(w.buf, bool(*v)) }

// WriteInt writes a signed integer.
func WriteInt[T ~int | ~int8 | ~int16 | ~int32 | ~int64](w *Writer, v *T) {
	w.buf = strconv.AppendInt(w.buf, int64(*v), 10)
}

// WriteUint writes an unsigned integer.
func WriteUint[T ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr](w *Writer, v *T) {
	w.buf = strconv.AppendUint(w.buf, uint64(*v), 10)
}

// WriteFloat writes a float. Those that encoding/json writes without an exponent are plain.
func WriteFloat[T ~float32 | ~float64](w *Writer, v *T) {
	f := float64(*v)
	if size := math.Abs(f); f == 0 || size >= 1e-6 && size < 1e21 {
		w.buf = strconv.AppendFloat(w.buf, f, 'f', -1, 8*int(unsafe.Sizeof(*v)))
		return
	}
	value := *v
	w.Value(value)
}

// WriteString writes a string.
func WriteString[T ~string](w *Writer, v *T) { w.string(string(*v)) }

func (w *Writer) string(s string) {
	if !isPlain(s) {
		w.Value(s)
		return
	}
	w.buf = append(append(append(w.buf, '"'), s...), '"')
}

// isPlain reports whether encoding/json writes the string without an escape.
func isPlain(s string) bool {
	for i := range len(s) {
		if !plainByte[s[i]] {
			return s[i] >= utf8.RuneSelf && isPlainText(s[i:])
		}
	}
	return true
}

// isPlainText is isPlain for text that is not ASCII.
func isPlainText(s string) bool {
	for i, r := range s {
		switch {
		case r < utf8.RuneSelf:
			if !plainByte[byte(r)] {
				return false
			}
		case r == '\u2028' || r == '\u2029':
			return false
		case r == utf8.RuneError:
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				return false // invalid, and no replacement character of the text's own
			}
		}
	}
	return true
}

// plainByte says which bytes of ASCII stand for themselves in a string of JSON, as encoding/json writes it.
var plainByte = func() (plain [256]bool) {
	for c := byte(' '); c < utf8.RuneSelf; c++ {
		switch c {
		case '"', '\\', '<', '>', '&', 0x7f:
		default:
			plain[c] = true
		}
	}
	return plain
}()

// WriteTime writes a time as its MarshalJSON does.
func WriteTime(w *Writer, v *time.Time) {
	text, err := v.AppendText(append(w.buf, '"'))
	if err != nil {
		w.failed = true
		return
	}
	w.buf = append(text, '"')
}

// WritePointer writes what v points to, or null.
func WritePointer[T any](w *Writer, v **T, write func(*Writer, *T)) {
	if *v == nil {
		w.buf = append(w.buf, "null"...)
		return
	}
	write(w, *v)
}

// WriteSlice writes an array of what write writes, or null.
func WriteSlice[S ~[]T, T any](w *Writer, v *S, write func(*Writer, *T)) {
	if *v == nil {
		w.buf = append(w.buf, "null"...)
		return
	}
	w.buf = append(w.buf, '[')
	for i := range *v {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		write(w, &(*v)[i])
	}
	w.buf = append(w.buf, ']')
}
