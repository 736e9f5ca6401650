package eventtest

import (
	"bytes"
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"time"
	"unsafe"
)

// differences says where got differs from want, one place a line: "Lines[2].Price.Cents: want 5, got 6". Fields that are
// not exported count too. Types with a method Equal are compared by it, so that times are the same in any zone. Nil
// slices and maps are the same as empty ones, for most encodings do not tell them apart.
func differences(want, got any) []string {
	var c comparison
	c.compare("", reflect.ValueOf(want), reflect.ValueOf(got))
	return c.found
}

// exactDifferences tells nil from empty too, and times in one zone from those in another, as reflect.DeepEqual does.
func exactDifferences(want, got any) []string {
	c := comparison{exact: true}
	c.compare("", reflect.ValueOf(want), reflect.ValueOf(got))
	return c.found
}

// A comparison collects differences. Pairs of pointers it has been through are not followed again.
type comparison struct {
	exact bool // see exactDifferences
	found []string
	seen  map[[2]unsafe.Pointer]bool
}

// add notes that two values differ.
func (c *comparison) add(path, want, got string) {
	if path != "" {
		path += ": "
	}
	c.found = append(c.found, fmt.Sprintf("%swant %s, got %s", path, want, got))
}

// differ notes that two values differ. Where both look the same, their types tell them apart.
func (c *comparison) differ(path string, want, got reflect.Value) {
	w, g := text(want), text(got)
	if w == g && want.IsValid() && got.IsValid() {
		w, g = fmt.Sprintf("%s (%v)", w, want.Type()), fmt.Sprintf("%s (%v)", g, got.Type())
	}
	c.add(path, w, g)
}

func (c *comparison) compare(path string, want, got reflect.Value) {
	if !want.IsValid() || !got.IsValid() || want.Type() != got.Type() {
		if want.IsValid() || got.IsValid() {
			c.differ(path, want, got)
		}
		return
	}
	want, got = readable(want), readable(got)
	switch want.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Map, reflect.Slice, reflect.Func, reflect.Chan:
		if want.IsNil() && got.IsNil() {
			return
		}
	}
	if equal := equalMethod(want); equal.IsValid() && !isNilPointer(want) && !isNilPointer(got) {
		switch {
		case !equal.Call([]reflect.Value{got})[0].Bool():
			c.differ(path, want, got)
		case c.exact && !reflect.DeepEqual(want.Interface(), got.Interface()):
			w, g := fmt.Sprint(want.Interface()), fmt.Sprint(got.Interface())
			if w == g {
				w, g = w+zone(want), g+zone(got)
			}
			c.add(path, w, g)
		}
		return
	}
	if kind := want.Kind(); c.exact && (kind == reflect.Slice || kind == reflect.Map) && want.IsNil() != got.IsNil() && want.Len() == got.Len() {
		c.add(path, nilOrEmpty(want), nilOrEmpty(got))
		return
	}
	switch want.Kind() {
	case reflect.Pointer:
		c.comparePointers(path, want, got)
	case reflect.Interface:
		c.compare(path, want.Elem(), got.Elem())
	case reflect.Struct:
		for i := range want.NumField() {
			c.compare(member(path, want.Type().Field(i).Name), want.Field(i), got.Field(i))
		}
	case reflect.Slice, reflect.Array:
		c.compareElements(path, want, got)
	case reflect.Map:
		c.compareMaps(path, want, got)
	case reflect.Float32, reflect.Float64:
		if w, g := want.Float(), got.Float(); w != g && (w == w || g == g) { // NaN is the same as NaN
			c.differ(path, want, got)
		}
	case reflect.Func:
		c.differ(path, want, got) // one of them at least is not nil, and functions cannot be compared
	default:
		if !want.Equal(got) {
			c.differ(path, want, got)
		}
	}
}

// zone names the location of a time: that of the system may be written as another one is.
func zone(v reflect.Value) string {
	if t, ok := v.Interface().(time.Time); ok {
		return fmt.Sprintf(" (%v)", t.Location())
	}
	return ""
}

func (c *comparison) comparePointers(path string, want, got reflect.Value) {
	if want.IsNil() || got.IsNil() {
		c.differ(path, want, got)
		return
	}
	pair := [2]unsafe.Pointer{want.UnsafePointer(), got.UnsafePointer()}
	if pair[0] == pair[1] || c.seen[pair] {
		return
	}
	if c.seen == nil {
		c.seen = map[[2]unsafe.Pointer]bool{}
	}
	c.seen[pair] = true
	c.compare(path, want.Elem(), got.Elem())
}

// compareElements compares one by one; text in bytes is compared whole, as it is read.
func (c *comparison) compareElements(path string, want, got reflect.Value) {
	if want.Kind() == reflect.Slice && want.Type().Elem().Kind() == reflect.Uint8 {
		if !bytes.Equal(want.Bytes(), got.Bytes()) {
			c.differ(path, want, got)
		}
		return
	}
	for i := range max(want.Len(), got.Len()) {
		at := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case i >= got.Len():
			c.add(at, text(want.Index(i)), "nothing")
		case i >= want.Len():
			c.add(at, "nothing", text(got.Index(i)))
		default:
			c.compare(at, want.Index(i), got.Index(i))
		}
	}
}

func (c *comparison) compareMaps(path string, want, got reflect.Value) {
	keys := want.MapKeys()
	for _, key := range got.MapKeys() {
		if !want.MapIndex(key).IsValid() {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b reflect.Value) int { return cmp.Compare(text(a), text(b)) })
	for _, key := range keys {
		at := fmt.Sprintf("%s[%s]", path, text(key))
		switch w, g := want.MapIndex(key), got.MapIndex(key); {
		case !g.IsValid():
			c.add(at, text(w), "nothing")
		case !w.IsValid():
			c.add(at, "nothing", text(g))
		default:
			c.compare(at, w, g)
		}
	}
}

func nilOrEmpty(v reflect.Value) string {
	if v.IsNil() {
		return "nil"
	}
	return "empty, not nil"
}

// member returns the path of a field.
func member(path, field string) string {
	if path == "" {
		return field
	}
	return path + "." + field
}

func isNilPointer(v reflect.Value) bool {
	return (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) && v.IsNil()
}

// equalMethod returns v's method Equal(T) bool, if it has one.
func equalMethod(v reflect.Value) reflect.Value {
	if v.Kind() == reflect.Interface {
		return reflect.Value{}
	}
	m := v.MethodByName("Equal")
	if !m.IsValid() {
		return m
	}
	if t := m.Type(); t.NumIn() != 1 || t.In(0) != v.Type() || t.IsVariadic() || t.NumOut() != 1 || t.Out(0).Kind() != reflect.Bool {
		return reflect.Value{}
	}
	return m
}

// readable returns v in a form whose methods can be called and whose fields are addressable, though it may come from a
// field that is not exported: reflect lets those be read piece by piece only.
func readable(v reflect.Value) reflect.Value {
	switch {
	case !v.IsValid():
		return v
	case v.CanAddr() && !v.CanInterface():
		return reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem()
	case !v.CanAddr():
		addressable := reflect.New(v.Type()).Elem()
		addressable.Set(v)
		return addressable
	}
	return v
}
