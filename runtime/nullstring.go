package runtime

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
)

// A NullString is a string that may be absent. The zero value is absent. It is stored as a nullable text column and so
// tells the empty string from none.
type NullString struct {
	String string
	Valid  bool // false: absent, and String is ignored
}

// SomeString returns s as a present NullString, also when s is empty.
func SomeString(s string) NullString { return NullString{String: s, Valid: true} }

// Scan implements [sql.Scanner]: NULL becomes absent.
func (n *NullString) Scan(src any) error {
	var s sql.NullString
	if err := s.Scan(src); err != nil {
		return err
	}
	*n = NullString{String: s.String, Valid: s.Valid}
	return nil
}

// Value implements [driver.Valuer]: absent becomes NULL.
func (n NullString) Value() (driver.Value, error) {
	if !n.Valid {
		return nil, nil
	}
	return n.String, nil
}

// MarshalJSON returns the string, or null if it is absent.
func (n NullString) MarshalJSON() ([]byte, error) {
	if !n.Valid {
		return []byte("null"), nil
	}
	return json.Marshal(n.String)
}

// UnmarshalJSON takes a string or null.
func (n *NullString) UnmarshalJSON(data []byte) error {
	var s *string
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	*n = NullString{}
	if s != nil {
		*n = SomeString(*s)
	}
	return nil
}
