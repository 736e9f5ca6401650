package eventtest

import (
	"encoding/json"
	"reflect"
)

// decoded returns an event as it is decoded from its JSON, so that it shares nothing with the one that is given: a fold may
// keep what it is given, and change it later. change is called with the event before it is returned, if it is not nil. An event
// that cannot be decoded is returned as it is.
func decoded[E any](event E, change func(reflect.Value)) E {
	from := content(event)
	if !from.IsValid() {
		return event
	}
	to := reflect.New(from.Type())
	stored, err := json.Marshal(readable(from).Addr().Interface())
	if err != nil || json.Unmarshal(stored, to.Interface()) != nil {
		return event
	}
	if change != nil {
		change(to.Elem())
	}
	setContent(reflect.ValueOf(&event).Elem(), to.Elem())
	return event
}

// setContent puts what [content] returns of an event in its place. The event itself may be a pointer or a generated sum, which
// holds it in a field of interface type.
func setContent(event, to reflect.Value) {
	event = readable(event)
	switch {
	case event.Type() == to.Type():
		event.Set(to)
	case event.Kind() == reflect.Pointer:
		event.Set(to.Addr())
	case event.Kind() == reflect.Struct:
		setContent(event.Field(0), to)
	case event.Kind() == reflect.Interface:
		inside := reflect.New(event.Elem().Type()).Elem()
		inside.Set(event.Elem())
		setContent(inside, to)
		event.Set(inside)
	}
}

// withSmallIntegers returns an event in which no integer is beyond 32 bits.
func withSmallIntegers[E any](event E) E {
	return decoded(event, lowerIntegers)
}

func lowerIntegers(v reflect.Value) {
	switch v.Kind() {
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(int32(v.Int())))
	case reflect.Uint, reflect.Uint64:
		v.SetUint(uint64(uint32(v.Uint())))
	case reflect.Pointer:
		if !v.IsNil() {
			lowerIntegers(v.Elem())
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			lowerIntegers(v.Index(i))
		}
	case reflect.Struct:
		for field, value := range v.Fields() {
			if field.IsExported() {
				lowerIntegers(value)
			}
		}
	}
}
