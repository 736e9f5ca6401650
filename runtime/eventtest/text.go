package eventtest

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// text returns v as one would write it in Go, without the fields that are zero, and with what pointers point to.
func text(v reflect.Value) string {
	var b strings.Builder
	writeText(&b, v, 0)
	return b.String()
}

// writeText writes v. Values that contain themselves end where they are deeper than a reader would follow.
func writeText(b *strings.Builder, v reflect.Value, depth int) {
	const deepest = 12
	if !v.IsValid() {
		b.WriteString("nothing")
		return
	}
	if depth > deepest {
		b.WriteString("...")
		return
	}
	v = readable(v)
	if writeOwn(b, v, depth) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			b.WriteString("nil")
			return
		}
		b.WriteByte('&')
		writeText(b, v.Elem(), depth+1)
	case reflect.Interface:
		if v.IsNil() {
			b.WriteString("nil")
			return
		}
		writeText(b, v.Elem(), depth)
	case reflect.Struct:
		b.WriteString(v.Type().String())
		var fields []string
		for i := range v.NumField() {
			if f := v.Field(i); !f.IsZero() {
				fields = append(fields, v.Type().Field(i).Name+": "+nested(f, depth))
			}
		}
		b.WriteString("{" + strings.Join(fields, ", ") + "}")
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 && utf8.Valid(v.Bytes()) {
			b.WriteString(strconv.Quote(string(v.Bytes())))
			return
		}
		var elements []string
		for i := range v.Len() {
			elements = append(elements, nested(v.Index(i), depth))
		}
		b.WriteString("[" + strings.Join(elements, ", ") + "]")
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return cmp.Compare(text(a), text(b)) })
		var entries []string
		for _, key := range keys {
			entries = append(entries, nested(key, depth)+": "+nested(v.MapIndex(key), depth))
		}
		b.WriteString("map[" + strings.Join(entries, ", ") + "]")
	case reflect.Func, reflect.Chan:
		if v.IsNil() {
			b.WriteString("nil")
			return
		}
		fmt.Fprintf(b, "a %v", v.Type())
	case reflect.String:
		b.WriteString(strconv.Quote(v.String()))
	default:
		fmt.Fprintf(b, "%v", v)
	}
}

func nested(v reflect.Value, depth int) string {
	var b strings.Builder
	writeText(&b, v, depth+1)
	return b.String()
}

// writeOwn writes a time, and what else within a value says itself what it is: an ID, a decimal, a duration.
func writeOwn(b *strings.Builder, v reflect.Value, depth int) bool {
	if isNilPointer(v) || v.Kind() == reflect.Interface {
		return false
	}
	switch own := v.Interface().(type) {
	case time.Time:
		b.WriteString(own.Format(time.RFC3339Nano))
		return true
	case fmt.Stringer:
		if depth > 0 {
			fmt.Fprint(b, own)
			return true
		}
	}
	return false
}
