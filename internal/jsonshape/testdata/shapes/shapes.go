// Package shapes holds structs with all that the rules of encoding/json for fields are about. A test reads it as source
// and as types. It imports nothing.
package shapes

// All has a value of each.
type All struct {
	Plain     plainShape
	Tagged    taggedShape
	Promoted  promotedShape
	Shadowed  shadowedShape
	Cancelled cancelledShape
	TagWins   tagWinsShape
	Named     namedShape
	Diamond   diamondShape
	Deep      deepShape
	OddTags   oddTagsShape
	Pointers  pointersShape
	Loop      loopShape
}

type plainShape struct {
	A, B int
	C    string
	_    int
}

type taggedShape struct {
	A int `json:"a"`
	B int `json:"b,omitempty"`
	C int `json:",omitempty"`
	D int `json:"-"`
	E int `json:"-,"`
	F int `json:",string"`
}

type InnerShape struct{ X, Y int }

type innerShape struct{ Z int }

type promotedShape struct {
	InnerShape
	innerShape
	Kind
	W int
}

type Kind string

type shadowedShape struct {
	InnerShape
	X string
}

type leftShape struct{ Same, L int }

type rightShape struct{ Same, R int }

type cancelledShape struct {
	leftShape
	rightShape
}

type taggedSame struct {
	Mine int `json:"Same"`
}

type tagWinsShape struct {
	leftShape
	taggedSame
}

type namedShape struct {
	InnerShape `json:"inner"`
	Other      *InnerShape
}

type viaLeft struct{ InnerShape }

type viaRight struct{ InnerShape }

type diamondShape struct {
	viaLeft
	viaRight
	Z int
}

type deepShape struct {
	viaLeft
	X int
	deeperShape
}

type deeperShape struct{ deepestShape }

type deepestShape struct{ Y, Q int }

type oddTagsShape struct {
	A int `json:"with space"`
	B int `json:"a.b:c/d"`
	C int `json:"true"`
	D int `json:"ünicode.$%"`
	E int `xml:"e"`
	F int `json:"f" xml:"g"`
	G int `json:""`
}

type pointersShape struct {
	*InnerShape
	P **int
}

type loopShape struct {
	A int
	*LoopShape
}

type LoopShape struct {
	B int
	*LoopShape
}
