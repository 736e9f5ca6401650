package kinds

import (
	"encoding/json"
	"time"
)

// Odd has fields whose names or types stand in the way of a column.
//
//eventmap:event
type Odd struct {
	Shared
	*Pointed
	Position int64         `json:"global_position"`
	Took     time.Duration `json:"took"`
	Upper    string        `json:"Key"`
	Lower    string        `json:"key"`
	First    string        `json:"aVeryLongNameThatGoesOnAndOnUntilPostgreSQLWouldCutItAwayBecauseItHasNoRoomForTheFirst"`
	Second   string        `json:"aVeryLongNameThatGoesOnAndOnUntilPostgreSQLWouldCutItAwayBecauseItHasNoRoomForTheSecond"`
	Template string        `json:"{{x}} ${y}"` //eventmap:index
	NUL      string        `json:"nul"`
	Byte     uint8         `json:"byte"`
	Short    uint16        `json:"short"`
	Word     uint32        `json:"word"`
	Fixed    [2]int        `json:"fixed"`
	Table    map[int]Amount
	Deep     struct {
		Deeper *Shared `json:"deeper"`
	} `json:"deep"`
	Select string `json:"select"`
}

// Shared is embedded, and within.
type Shared struct {
	Owner string `json:"owner"` //eventmap:index
}

// Pointed is embedded by pointer.
type Pointed struct {
	Pointer *bool `json:"pointer"`
}

// Sealed writes its own JSON.
//
//eventmap:event
type Sealed struct{ Inner string }

// MarshalJSON writes a list.
func (s Sealed) MarshalJSON() ([]byte, error) { return json.Marshal([]string{s.Inner}) }

// UnmarshalJSON reads it.
func (s *Sealed) UnmarshalJSON(text []byte) error {
	var list [1]string
	err := json.Unmarshal(text, &list)
	s.Inner = list[0]
	return err
}
