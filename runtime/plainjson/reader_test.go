package plainjson_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/eventmap/eventmap/runtime/plainjson"
)

// A parcel has a field of every kind that a reader reads.
type parcel struct {
	Name   string     `json:"name"`
	Size   int8       `json:"size"`
	Count  uint16     `json:"count"`
	Weight float32    `json:"weight"`
	Fast   bool       `json:"fast"`
	At     time.Time  `json:"at"`
	Until  *time.Time `json:"until"`
	Tags   []string   `json:"tags"`
	Any    any        `json:"any"`
	Map    map[string]int
}

// readParcel is what eventmap-gen would write.
func readParcel(r *plainjson.Reader, v *parcel) {
	var seen uint64
	for name := r.FirstMember(); name != ""; name = r.NextMember() {
		switch name {
		case "name":
			r.Once(&seen, 0)
			plainjson.ReadString(r, &v.Name)
		case "size":
			r.Once(&seen, 1)
			plainjson.ReadInt(r, &v.Size)
		case "count":
			r.Once(&seen, 2)
			plainjson.ReadUint(r, &v.Count)
		case "weight":
			r.Once(&seen, 3)
			plainjson.ReadFloat(r, &v.Weight)
		case "fast":
			r.Once(&seen, 4)
			plainjson.ReadBool(r, &v.Fast)
		case "at":
			r.Once(&seen, 5)
			plainjson.ReadTime(r, &v.At)
		case "until":
			r.Once(&seen, 6)
			plainjson.ReadPointer(r, &v.Until, plainjson.ReadTime)
		case "tags":
			r.Once(&seen, 7)
			plainjson.ReadSlice(r, &v.Tags, plainjson.ReadString)
		case "any":
			r.Once(&seen, 8)
			r.Value(&v.Any)
		case "Map":
			r.Once(&seen, 9)
			r.ValueOrNull(&v.Map)
		default:
			r.Skip(name, "name", "size", "count", "weight", "fast", "at", "until", "tags", "any", "Map")
		}
	}
}

func TestReader_readsPlainPayloads(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{
		`{}`, " {\n} ", `{"name":""}`, `{"name":"a","size":-128,"count":65535,"weight":1.5,"fast":true}`, `{"size":0}`, `{"size":-0}`, `{"weight":-0.0}`,
		`{"name":"ü\u0041\n"}`, `{"name":"日本"}`, `{ "tags" : [ "a" , "b" ] }`, `{"tags":[]}`, `{"tags":null}`, `{"until":null,"Map":null}`,
		`{"at":"2026-03-01T09:05:00.5+05:30","until":"2026-03-01T09:05:00Z"}`, `{"any":{"a":[1,"]"]},"Map":{"a":1}}`, `{"other":[{"name":1}],"x":"y"}`,
		`{"name":"` + strings.Repeat("long", 1000) + `"}`,
	} {
		var got, want parcel
		r := plainjson.NewReader([]byte(payload))
		readParcel(&r, &got)
		if !r.End() {
			t.Errorf("%s is left to encoding/json", payload)
		}
		if err := json.Unmarshal([]byte(payload), &want); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s is read as %+v; encoding/json reads %+v, %v", payload, got, want, err)
		}
	}
}

func TestReader_leavesOthersToEncodingJSON(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{
		"", " ", "null", "[]", "{", "}", `{"`, `{"name"`, `{"name":`, `{"name":"a"`, `{"name":"a"}x`, `{"name":"a"}{}`, `{"name":"a",}`, `{,}`, `{"name" "a"}`, `{"name":"a" "size":1}`,
		`{"Name":"a"}`, `{"NAME":"a"}`, `{"na_me":"a"}`, `{"":1}`, `{"n\u0061me":"a"}`, `{"ſize":1}`, `{"name":"a","name":"b"}`,
		`{"name":null}`, `{"name":1}`, "{\"name\":\"\x01\"}", `{"name":"\x"}`, `{"name":"a`, `{"any":null}`, `{"any":tru}`,
		`{"size":128}`, `{"size":-129}`, `{"size":1.0}`, `{"size":1e1}`, `{"size":01}`, `{"size":-}`, `{"size":"1"}`, `{"size":99999999999999999999}`, `{"count":-1}`, `{"count":65536}`,
		`{"weight":1e3}`, `{"weight":.5}`, `{"weight":1.}`, `{"weight":NaN}`, `{"weight":1` + strings.Repeat("0", 40) + `}`, `{"fast":1}`, `{"fast":truefalse}`, `{"fast":t}`,
		`{"at":"2026"}`, `{"at":null}`, `{"at":"2026-03-01T09:05:00\u005a"}`, `{"tags":["a"}`, `{"tags":["a",]}`, `{"tags":[,]}`, `{"tags":{}}`, `{"tags":"a"}`, `{"tags":[null]}`,
		`{"other":}`, `{"other":01}`, `{"other":1"x"}`, `{"other":[}`, `{"other":"a}`, "{\"name\":\"a\"}\x00", "\ufeff{}", `{"any":` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + `}`,
	} {
		var v parcel
		r := plainjson.NewReader([]byte(payload))
		readParcel(&r, &v)
		if r.End() {
			t.Errorf("%q is read as %+v", payload, v)
		}
	}
}

// A payload is never changed, and the strings are no part of it.
func TestReader_keepsNothing(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"short", strings.Repeat("long", 1000)} {
		payload := []byte(`{"name":"` + name + `"}`)
		var v parcel
		r := plainjson.NewReader(payload)
		readParcel(&r, &v)
		clear(payload)
		if v.Name != name {
			t.Errorf("name changed with the payload: %q", v.Name)
		}
	}
}
