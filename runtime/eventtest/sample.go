package eventtest

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Sample returns a value of T in which everything that encoding/json writes is set, and set to something else than
// everything beside it: fields, elements, map entries and what pointers point to. The same T gives the same sample.
//
// Types that marshal themselves, as enumerations and decimals do, are given a value that they accept: what their kind
// suggests, else a number, a text or a time that they can be read from, else their zero value. For a type that accepts
// none of these, values of it can be given; they are tried first. Types that contain themselves end at the first
// repetition.
func Sample[T any](values ...any) T {
	value, _ := sample[T](values)
	return value
}

// sample returns a sample of T and the types within it of which no value is known that they accept.
func sample[T any](values []any) (value T, unknown []reflect.Type) {
	f := filler{values: map[reflect.Type][]reflect.Value{}}
	for _, v := range values {
		t := reflect.TypeOf(v)
		f.values[t] = append(f.values[t], reflect.ValueOf(v))
	}
	f.fill(reflect.ValueOf(&value).Elem(), "value")
	return value, f.unknown
}

// sampleFor returns a sample of E for a test, or skips the test if there is none.
func sampleFor[E any](t testing.TB, values []any) E {
	t.Helper()
	value, unknown := sample[E](values)
	if len(unknown) > 0 {
		t.Skipf("no value of %v is known that its methods write and read; declare one beside the type, as an exported constant or variable, and generate again", unknown[0])
	}
	return value
}

// A filler fills values; it counts to make each differ, and knows which types it is inside of.
type filler struct {
	count   int
	inside  []reflect.Type
	values  map[reflect.Type][]reflect.Value // given
	unknown []reflect.Type
}

var (
	timeType            = reflect.TypeFor[time.Time]()
	numberType          = reflect.TypeFor[json.Number]()
	jsonUnmarshalerType = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// fill sets v, which name describes.
func (f *filler) fill(v reflect.Value, name string) {
	t := v.Type()
	f.count++
	switch {
	case t == timeType:
		v.Set(reflect.ValueOf(time.Date(2026, time.January, 2, 3, 4, 5, 1000*f.count, time.UTC)))
	case t == numberType:
		v.SetString(strconv.Itoa(f.count))
	case v.CanAddr() && marshalsItself(t):
		f.fillAccepted(v, name)
	default:
		f.fillKind(v, name)
	}
}

// marshalsItself reports whether values of t decide about their own JSON.
func marshalsItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return t.Kind() != reflect.Pointer && (p.Implements(jsonUnmarshalerType) || p.Implements(textUnmarshalerType))
}

// fillAccepted sets v to the first value but zero that survives being written and read.
func (f *filler) fillAccepted(v reflect.Value, name string) {
	given := f.values[v.Type()]
	for i := range given {
		if v.Set(given[(f.count+i)%len(given)]); survives(v) && !v.IsZero() {
			return
		}
	}
	f.fillKind(v, name)
	if survives(v) && !v.IsZero() {
		return
	}
	for n := range int64(10) { // an enumeration
		if !v.CanInt() && !v.CanUint() {
			break
		}
		if v.Set(reflect.ValueOf(n + 1).Convert(v.Type())); survives(v) {
			return
		}
	}
	for _, text := range []string{
		fmt.Sprintf(`"%d"`, f.count), fmt.Sprint(f.count), `"1"`, `1`,
		fmt.Sprintf(`"%s-%d"`, name, f.count),
		fmt.Sprintf(`"2026-01-02T03:04:05.%06dZ"`, f.count), `"2026-01-02"`, `"03:04:05"`, fmt.Sprintf(`"%ds"`, f.count),
		fmt.Sprintf(`"00000000-0000-4000-8000-%012d"`, f.count),
		fmt.Sprintf(`"10.0.0.%d"`, f.count%256), `"https://example.com/"`, `"user@example.com"`,
		`true`, `{}`, `[]`,
	} {
		v.SetZero()
		if json.Unmarshal([]byte(text), v.Addr().Interface()) == nil && survives(v) && !v.IsZero() {
			return
		}
	}
	if v.SetZero(); !survives(v) {
		f.unknown = append(f.unknown, v.Type())
	}
}

// survives reports whether v can be written and read without an error and, for a type that encodes more than one field,
// whatever comes back: a loss there is for the test to show. A single value must come back the same; or else in a form
// that then stays, since a type may well round a time or spell a number its own way. Then v is given that form.
func survives(v reflect.Value) bool {
	text, back, ok := there(v)
	if !ok {
		return false
	}
	if v.Kind() == reflect.Struct && exportedFields(v.Type()) > 1 || reflect.DeepEqual(back.Interface(), v.Interface()) {
		return true
	}
	if again, _, ok := there(back); !ok || !bytes.Equal(again, text) {
		return false
	}
	v.Set(back)
	return true
}

// there returns v as JSON, and what comes back from that. A method that panics, for there are values that no one makes,
// refuses v.
func there(v reflect.Value) (text []byte, back reflect.Value, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	text, err := json.Marshal(v.Addr().Interface())
	if err != nil || string(text) == "null" {
		return nil, v, false
	}
	back = reflect.New(v.Type()).Elem()
	return text, back, json.Unmarshal(text, back.Addr().Interface()) == nil
}

func exportedFields(t reflect.Type) int {
	n := 0
	for i := range t.NumField() {
		if t.Field(i).IsExported() {
			n++
		}
	}
	return n
}

// fillKind sets v by its kind.
func (f *filler) fillKind(v reflect.Value, name string) {
	n := f.count
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int8:
		v.SetInt(int64(n%127) + 1)
	case reflect.Int, reflect.Int16, reflect.Int32:
		v.SetInt(int64(n%32767) + 1)
	case reflect.Int64:
		v.SetInt(1<<53 + int64(n)) // beyond what a float64 holds exactly
	case reflect.Uint8:
		v.SetUint(uint64(n%255) + 1)
	case reflect.Uint, reflect.Uint16, reflect.Uint32, reflect.Uintptr:
		v.SetUint(uint64(n%65535) + 1)
	case reflect.Uint64:
		v.SetUint(1<<63 + uint64(n))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(n) + 0.5)
	case reflect.String:
		v.SetString(fmt.Sprintf("%s-%d", name, n))
	case reflect.Pointer:
		f.fillPointer(v, name)
	case reflect.Struct:
		f.fillStruct(v)
	case reflect.Array:
		for i := range v.Len() {
			f.fill(v.Index(i), name)
		}
	case reflect.Slice:
		f.fillSlice(v, name)
	case reflect.Map:
		f.fillMap(v, name)
	}
}

// enter calls fill unless the filler is inside of t already.
func (f *filler) enter(t reflect.Type, fill func()) {
	for _, outer := range f.inside {
		if outer == t {
			return
		}
	}
	f.inside = append(f.inside, t)
	fill()
	f.inside = f.inside[:len(f.inside)-1]
}

func (f *filler) fillPointer(v reflect.Value, name string) {
	f.enter(v.Type(), func() {
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem(), name)
		switch e := v.Elem(); e.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			if e.IsNil() { // its type contains itself, and JSON has but one null for both
				v.SetZero()
			}
		}
	})
}

func (f *filler) fillSlice(v reflect.Value, name string) {
	f.enter(v.Type(), func() {
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			f.fill(v.Index(i), name)
		}
	})
}

func (f *filler) fillMap(v reflect.Value, name string) {
	f.enter(v.Type(), func() {
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		f.fill(key, name)
		f.fill(value, name)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	})
}

func (f *filler) fillStruct(v reflect.Value) {
	t := v.Type()
	for i := range t.NumField() {
		field := t.Field(i)
		embedded := field.Anonymous && field.Type.Kind() == reflect.Struct
		if field.Tag.Get("json") == "-" || !(field.IsExported() || embedded) {
			continue
		}
		if !field.IsExported() {
			f.fillStruct(v.Field(i)) // its exported fields are written as if they were its parent's
			continue
		}
		f.fill(v.Field(i), strings.ToLower(field.Name))
	}
}
