// Package pair holds events with one field of every kind, to be changed into each other.
package pair

import (
	"encoding/json"
	"math/big"
	"net/netip"
	"time"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/internal/schemalock/testdata/change"
)

type (
	//eventmap:event
	Bool struct{ A bool }
	//eventmap:event
	QuotedBool struct {
		A bool `json:",string"`
	}
	//eventmap:event
	Int struct{ A int }
	//eventmap:event
	Int8 struct{ A int8 }
	//eventmap:event
	Int32 struct{ A int32 }
	//eventmap:event
	Uint8 struct{ A uint8 }
	//eventmap:event
	Uint32 struct{ A uint32 }
	//eventmap:event
	Uint64 struct{ A uint64 }
	//eventmap:event
	Float32 struct{ A float32 }
	//eventmap:event
	Float64 struct{ A float64 }
	//eventmap:event
	Number struct{ A json.Number }
	//eventmap:event
	QuotedNumber struct {
		A json.Number `json:",string"`
	}
	//eventmap:event
	QuotedInt struct {
		A int `json:",string"`
	}
	//eventmap:event
	QuotedFloat struct {
		A float64 `json:",string"`
	}
	//eventmap:event
	QuotedPointer struct {
		A *int `json:",string"`
	}
	//eventmap:event
	String struct{ A string }
	//eventmap:event
	QuotedString struct {
		A string `json:",string"`
	}
	//eventmap:event
	NamedString struct{ A Name }
	//eventmap:event
	Bytes struct{ A []byte }
	//eventmap:event
	NamedBytes struct{ A Octets }
	//eventmap:event
	ByteArray struct{ A [3]byte }
	//eventmap:event
	Raw struct{ A json.RawMessage }
	//eventmap:event
	RawPointer struct{ A *json.RawMessage }
	//eventmap:event
	Time struct{ A time.Time }
	//eventmap:event
	TimePointer struct{ A *time.Time }
	//eventmap:event
	Duration struct{ A time.Duration }
	//eventmap:event
	Month struct{ A time.Month }
	//eventmap:event
	UUID struct{ A uuid.UUID }
	//eventmap:event
	NullUUID struct{ A uuid.NullUUID }
	//eventmap:event
	Addr struct{ A netip.Addr }
	//eventmap:event
	BigInt struct{ A *big.Int }
	//eventmap:event
	BigIntValue struct{ A big.Int }
	//eventmap:event
	Grade struct{ A change.Grade }
	//eventmap:event
	Shout struct{ A change.Shout }
	//eventmap:event
	Checked struct{ A change.Checked }
	//eventmap:event
	IntPointer struct{ A *int }
	//eventmap:event
	IntPointerPointer struct{ A **int }
	//eventmap:event
	StringPointer struct{ A *string }
	//eventmap:event
	StringOptional struct {
		A string `json:",omitempty"`
	}
	//eventmap:event
	IntOptional struct {
		A int `json:",omitzero"`
	}
	//eventmap:event
	IntPointerOptional struct {
		A *int `json:",omitempty"`
	}
	//eventmap:event
	Ints struct{ A []int }
	//eventmap:event
	IntsOptional struct {
		A []int `json:",omitempty"`
	}
	//eventmap:event
	IntsZero struct {
		A []int `json:",omitzero"`
	}
	//eventmap:event
	Ints8 struct{ A []int8 }
	//eventmap:event
	IntArray struct{ A [2]int }
	//eventmap:event
	IntArray3 struct{ A [3]int }
	//eventmap:event
	IntArray0 struct{ A [0]int }
	//eventmap:event
	Strings struct{ A []string }
	//eventmap:event
	StringPointers struct{ A []*string }
	//eventmap:event
	Times struct{ A []time.Time }
	//eventmap:event
	MapString struct{ A map[string]int }
	//eventmap:event
	MapNamed struct{ A map[Name]int }
	//eventmap:event
	MapInt struct{ A map[int]int }
	//eventmap:event
	MapInt8 struct{ A map[int8]int }
	//eventmap:event
	MapUint struct{ A map[uint]int }
	//eventmap:event
	MapMonth struct{ A map[time.Month]int }
	//eventmap:event
	MapUUID struct{ A map[uuid.UUID]int }
	//eventmap:event
	MapTime struct{ A map[time.Time]int }
	//eventmap:event
	MapGrade struct{ A map[change.Grade]int }
	//eventmap:event
	MapNumber struct{ A map[json.Number]int }
	//eventmap:event
	MapObject struct{ A map[string]Object }
	//eventmap:event
	ObjectField struct{ A Object }
	//eventmap:event
	ObjectPointer struct{ A *Object }
	//eventmap:event
	ObjectZero struct {
		A Object `json:",omitzero"`
	}
	//eventmap:event
	EmptyObject struct{ A struct{} }
	//eventmap:event
	TreeField struct{ A Tree }
	//eventmap:event
	TreeList struct{ A []Tree }
	//eventmap:event
	TreePointer struct{ A *Tree }
	//eventmap:event
	Embedded struct{ Object }
	//eventmap:event
	EmbeddedPointer struct{ *Object }
	//eventmap:event
	EmbeddedTag struct {
		Object `json:"A"`
	}
	//eventmap:event
	Plain struct{ X, Y int }
	//eventmap:event
	PlainOptional struct {
		X int `json:",omitempty"`
		Y int `json:",omitempty"`
	}
	//eventmap:event
	LowerCase struct {
		A string `json:"a"`
	}
	//eventmap:event
	OptionalInt struct{ A Optional[int] }
	//eventmap:event
	OptionalString struct{ A Optional[string] }
	//eventmap:event
	Nothing struct{}
	//eventmap:event
	Self struct{ Value int }
)

type (
	Name   string
	Octets []byte
	Object struct{ X, Y int }
	Tree   struct {
		X, Y int
		Next []Tree
	}
)

// Optional is a value or nothing, which it writes as null.
type Optional[T any] struct{ value *T }

func (o Optional[T]) MarshalJSON() ([]byte, error)     { return json.Marshal(o.value) }
func (o *Optional[T]) UnmarshalJSON(text []byte) error { return json.Unmarshal(text, &o.value) }

// All are all of them.
var All = []any{
	Bool{}, QuotedBool{}, Int{}, Int8{}, Int32{}, Uint8{}, Uint32{}, Uint64{}, Float32{}, Float64{}, Number{}, QuotedNumber{}, QuotedInt{}, QuotedFloat{}, QuotedPointer{}, String{},
	QuotedString{}, NamedString{}, Bytes{}, NamedBytes{}, ByteArray{}, Raw{}, RawPointer{}, Time{}, TimePointer{}, Duration{}, Month{}, UUID{}, NullUUID{}, Addr{},
	BigInt{}, BigIntValue{}, Grade{}, Shout{}, Checked{}, IntPointer{}, IntPointerPointer{}, StringPointer{}, StringOptional{}, IntOptional{}, IntPointerOptional{}, Ints{}, IntsOptional{},
	IntsZero{}, Ints8{}, IntArray{}, IntArray3{}, IntArray0{}, Strings{}, StringPointers{}, Times{}, MapString{}, MapNamed{}, MapInt{}, MapInt8{}, MapUint{}, MapMonth{}, MapUUID{}, MapTime{},
	MapGrade{}, MapNumber{}, MapObject{}, ObjectField{}, ObjectPointer{}, ObjectZero{}, EmptyObject{}, TreeField{}, TreeList{}, TreePointer{}, Embedded{}, EmbeddedPointer{}, EmbeddedTag{}, Plain{},
	PlainOptional{}, LowerCase{}, OptionalInt{}, OptionalString{}, Nothing{}, Self{},
}
