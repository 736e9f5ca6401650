package schemalock_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/internal/astscan"
	"github.com/eventmap/eventmap/internal/schemalock"
	"github.com/eventmap/eventmap/internal/schemalock/testdata/change"
	"github.com/eventmap/eventmap/internal/schemalock/testdata/pair"
)

// Whatever field becomes whatever other: what is taken reads every value that is stored, whole.
func TestCompare_whatIsTakenIsReadWhole(t *testing.T) {
	t.Parallel()
	domain, err := astscan.Scan(t.Context(), astscan.Options{Patterns: []string{"./testdata/pair"}, Output: "testdata/gen"})
	if err != nil {
		t.Fatal(err)
	}
	locks := map[string]*schemalock.Lock{}
	for _, e := range schemalock.Of(domain).Events {
		name := e.Name
		e.Name = "Event"
		locks[name] = &schemalock.Lock{Events: []schemalock.Event{e}}
	}
	for _, from := range pair.All {
		old := reflect.TypeOf(from)
		locked, err := schemalock.Decode(schemalock.Encode(locks[old.Name()]), "lock") // as it comes from the file
		if err != nil {
			t.Fatal(err)
		}
		for _, to := range pair.All {
			now := reflect.TypeOf(to)
			if findings, _ := schemalock.Compare(locked, locks[now.Name()], nil); len(findings) > 0 {
				continue
			}
			for _, value := range valuesOf(old) {
				if lost := losses(t, value, now); lost != "" {
					t.Errorf("%v to %v is taken, but: %s", old, now, lost)
					break
				}
			}
		}
	}
}

// losses says what is lost if a value is stored and read as another type. That nothing is there and that a list is empty
// counts as the same: it is when it is written that omitempty makes it so.
func losses(t *testing.T, value reflect.Value, now reflect.Type) string {
	t.Helper()
	event := reflect.New(value.Type())
	event.Elem().Set(value)
	stored, err := json.Marshal(event.Interface())
	if err != nil {
		return "" // it cannot be stored
	}
	if json.Unmarshal(stored, reflect.New(value.Type()).Interface()) != nil {
		return "" // it cannot even be read as what it is
	}
	read := reflect.New(now)
	if err := json.Unmarshal(stored, read.Interface()); err != nil {
		return fmt.Sprintf("%s: %v", stored, err)
	}
	if value.NumField() == 1 && now.NumField() == 1 {
		was, is := value.Field(0), read.Elem().Field(0)
		if was.Type() == is.Type() && was.Type() == reflect.TypeFor[string]() && was.String() != is.String() {
			return fmt.Sprintf("%s is read as %q", stored, is)
		}
	}
	rewritten, err := json.Marshal(read.Interface())
	if err != nil {
		return fmt.Sprintf("%s: %v", stored, err)
	}
	back := reflect.New(value.Type())
	if err := json.Unmarshal(rewritten, back.Interface()); err != nil {
		return fmt.Sprintf("%s, rewritten %s: %v", stored, rewritten, err)
	}
	again, err := json.Marshal(back.Interface())
	if err != nil || withoutEmpty(t, string(again)) != withoutEmpty(t, string(stored)) {
		return fmt.Sprintf("%s, rewritten %s, back %s %v", stored, rewritten, again, err)
	}
	return ""
}

// valuesOf returns values of a type: zero, and what lies at its ends.
func valuesOf(t reflect.Type) []reflect.Value { return valuesWithin(t, 0) }

func valuesWithin(t reflect.Type, depth int) []reflect.Value {
	values := []reflect.Value{reflect.Zero(t)}
	add := func(vs ...any) []reflect.Value {
		for _, v := range vs {
			values = append(values, reflect.ValueOf(v).Convert(t))
		}
		return values
	}
	if depth > 6 { // it contains itself
		return values
	}
	switch t {
	case reflect.TypeFor[json.Number]():
		return add("1.50", "-12345678901234567890123", "1e400")
	case reflect.TypeFor[json.RawMessage]():
		return add(json.RawMessage(`null`), json.RawMessage(`{"a":[1,"x"]}`), json.RawMessage(`1`))
	case reflect.TypeFor[time.Time]():
		return add(time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600)))
	case reflect.TypeFor[uuid.UUID]():
		return add(uuid.MustParse("01234567-89ab-cdef-0123-456789abcdef"))
	case reflect.TypeFor[uuid.NullUUID]():
		return add(uuid.NullUUID{Valid: true})
	case reflect.TypeFor[netip.Addr]():
		return add(netip.MustParseAddr("10.0.0.1"))
	case reflect.TypeFor[big.Int]():
		return add(*new(big.Int).Exp(big.NewInt(10), big.NewInt(40), nil))
	case reflect.TypeFor[change.Grade]():
		return add("A")
	case reflect.TypeFor[change.Shout]():
		return add("x")
	case reflect.TypeFor[change.Checked]():
		return add("x", "a long one")
	case reflect.TypeFor[pair.Optional[int]]():
		o := new(pair.Optional[int])
		_ = json.Unmarshal([]byte("5"), o)
		return add(*o)
	case reflect.TypeFor[pair.Optional[string]]():
		o := new(pair.Optional[string])
		_ = json.Unmarshal([]byte(`"5"`), o)
		return add(*o)
	}
	switch t.Kind() {
	case reflect.Bool:
		return add(true)
	case reflect.Int, reflect.Int8, reflect.Int32, reflect.Int64:
		bits := t.Bits()
		return add(int64(-1)<<(bits-1), int64(1)<<(bits-1)-1, 5)
	case reflect.Uint, reflect.Uint8, reflect.Uint32, reflect.Uint64:
		return add(uint64(math.MaxUint64) >> (64 - t.Bits()))
	case reflect.Float32:
		return add(1.5, 0.1, 1e20, math.MaxFloat32, math.SmallestNonzeroFloat32)
	case reflect.Float64:
		return add(1.5, 0.1, 1e20, math.MaxFloat64, math.SmallestNonzeroFloat64)
	case reflect.String:
		return add("x", "5", `"x"`, "ü<&>", strings.Repeat("A", 100))
	case reflect.Pointer:
		for _, v := range valuesWithin(t.Elem(), depth+1) {
			p := reflect.New(t.Elem())
			p.Elem().Set(v)
			values = append(values, p)
		}
	case reflect.Slice:
		list := reflect.MakeSlice(t, 0, 4)
		values = append(values, list)
		for _, v := range valuesWithin(t.Elem(), depth+1) {
			list = reflect.Append(list, v)
		}
		return append(values, list)
	case reflect.Array:
		for _, v := range valuesWithin(t.Elem(), depth+1) {
			a := reflect.New(t).Elem()
			for i := range a.Len() {
				a.Index(i).Set(v)
			}
			values = append(values, a)
		}
	case reflect.Map:
		values = append(values, reflect.MakeMap(t))
		for _, k := range valuesWithin(t.Key(), depth+1) {
			m := reflect.MakeMap(t)
			m.SetMapIndex(k, valuesWithin(t.Elem(), depth+1)[1])
			values = append(values, m)
		}
	case reflect.Struct:
		for i := range t.NumField() {
			for _, v := range valuesWithin(t.Field(i).Type, depth+1) {
				s := reflect.New(t).Elem()
				s.Field(i).Set(v)
				values = append(values, s)
			}
		}
	}
	return values
}
