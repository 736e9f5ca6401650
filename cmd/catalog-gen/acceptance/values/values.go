// Package values fills Go values at random, by reflection: what an application may store.
package values

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"time"

	"github.com/google/uuid"
)

// JSON returns a random value of a type as it is stored. Types that write themselves are left as they are, but for times,
// UUIDs and numbers.
func JSON(r *rand.Rand, t reflect.Type) ([]byte, error) {
	v := reflect.New(t).Elem()
	fill(r, v, 0)
	content, err := json.Marshal(v.Interface())
	if err != nil {
		return nil, fmt.Errorf("%v: %w", t, err)
	}
	return content, nil
}

// deepest is how far a value that contains itself goes.
const deepest = 5

func fill(r *rand.Rand, v reflect.Value, depth int) {
	switch v.Addr().Interface().(type) {
	case *time.Time:
		v.Set(reflect.ValueOf(time.Unix(r.Int64N(1<<34)-1<<33, r.Int64N(1e9)).In(time.FixedZone("", r.IntN(24*60)*60-12*3600))))
		return
	case *uuid.UUID:
		for i := range v.Len() {
			v.Index(i).SetUint(r.Uint64N(256))
		}
		return
	case *json.Number:
		v.SetString(fmt.Sprint(r.NormFloat64()))
		return
	case *json.RawMessage:
		v.SetBytes([]byte([]string{`null`, `{"a":[1]}`, `"x"`, `3`}[r.IntN(4)]))
		return
	case json.Marshaler, interface{ MarshalText() ([]byte, error) }:
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(r.Uint64()) >> r.IntN(64)) //nolint:gosec // any bits will do
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(r.Uint64() >> r.IntN(64))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(r.NormFloat64() * math.Pow(10, float64(r.IntN(40)-20)))
	case reflect.String:
		letters := []rune(`aZ 0"\<>{}é☃` + "\u2028\x00\n")
		text := make([]rune, r.IntN(6))
		for i := range text {
			text[i] = letters[r.IntN(len(letters))]
		}
		v.SetString(string(text))
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(r, v.Field(i), depth+1)
			}
		}
	case reflect.Pointer:
		if depth < deepest && r.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(r, v.Elem(), depth+1)
		}
	case reflect.Slice:
		if depth < deepest && r.IntN(4) > 0 {
			v.Set(reflect.MakeSlice(v.Type(), r.IntN(4), 4))
			for i := range v.Len() {
				fill(r, v.Index(i), depth+1)
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(r, v.Index(i), depth+1)
		}
	case reflect.Map:
		if depth < deepest && r.IntN(4) > 0 {
			v.Set(reflect.MakeMap(v.Type()))
			for range r.IntN(4) {
				key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
				fill(r, key, depth+1)
				fill(r, value, depth+1)
				v.SetMapIndex(key, value)
			}
		}
	}
}
