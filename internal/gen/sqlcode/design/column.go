package design

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/eventmap/eventmap/internal/model"
	"github.com/eventmap/eventmap/internal/pgname"
)

// A Column is a field of the event's JSON.
type Column struct {
	Name    string   `json:"name"`
	Path    []string `json:"path,omitempty"` // the field's names in JSON, from the outside in; none: all of the payload
	Type    string   `json:"type"`           // in SQL
	Quoted  bool     `json:"quoted,omitempty"`
	Index   string   `json:"index,omitempty"` // the method of the index on it, one of indexMethods; empty: there is none
	Comment string   `json:"comment,omitempty"`
}

// logColumns are what every view has of the log.
var logColumns = []string{"global_position", "created_at", "event_id", "aggregate_id", "aggregate_version"}

// columnsOf returns a column for each field of an event that is not personal and, behind them, for each field within one that is to be indexed.
func columnsOf(e model.Event, marks *marks) []Column {
	var columns []Column
	for _, f := range e.Payload.Fields {
		if f.Personal != nil {
			continue // what is stored is sealed, and what was stored before it was marked is not to be shown
		}
		columns = append(columns, newColumn([]string{f.Name}, f))
	}
	outer := len(columns)
	marks.walk(e.Payload, nil, "", func(path []string, f model.Field, method string) {
		if len(path) > 1 {
			columns = append(columns, newColumn(path, f))
		}
		i := slices.IndexFunc(columns, func(c Column) bool { return slices.Equal(c.Path, path) })
		columns[i].Index = method
	})
	own := logColumns
	if marks.ofLogs {
		own = append([]string{"log"}, own...)
	}
	nameColumns(own, columns[:outer], columns[outer:])
	return columns
}

func newColumn(path []string, f model.Field) Column {
	return Column{Path: path, Type: sqlType(f.Shape), Quoted: f.Quoted, Comment: sentence(f.Doc)}
}

// nameColumns gives each column a name of its own. Which name the column of a field has depends on the other fields of the
// event, but not on which of the fields within them are indexed.
func nameColumns(own []string, outer, inner []Column) {
	count := make(map[string]int)
	for _, name := range own {
		count[name] = 2
	}
	for _, c := range outer {
		count[columnName(c.Path)]++
	}
	used := make(map[string]bool)
	for i, c := range outer {
		if name := columnName(c.Path); count[name] == 1 {
			outer[i].Name, used[name] = name, true
		}
	}
	for _, columns := range [][]Column{outer, inner} {
		for i, c := range columns {
			name := columnName(c.Path)
			if c.Name != "" {
				continue
			}
			if used[name] || count[name] > 1 { // two fields, or one beside a column of the log
				name = exactName(c.Path)
			}
			if used[name] {
				name = pgname.Table{Name: "payload"}.Derived(snake(strings.Join(c.Path, "_")) + "_" + digest(c.Path)).Name
			}
			columns[i].Name, used[name] = name, true
		}
	}
}

// columnName returns the name that the column of a field has where no other is like it, within what PostgreSQL keeps.
func columnName(path []string) string {
	var parts []string
	for _, name := range path {
		parts = append(parts, snake(name))
	}
	name := strings.Join(parts, "_")
	if len(name) > pgname.MaxBytes {
		return pgname.Table{Name: "field"}.Derived(name).Name
	}
	return name
}

// exactName returns a name that keeps the case of the field's name in JSON.
func exactName(path []string) string {
	whole := strings.Join(path, "_")
	name := strings.Map(func(r rune) rune {
		if r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return '_'
	}, whole)
	if name != whole {
		name += "_" + digest(path)
	}
	return pgname.Table{Name: "payload"}.Derived(name).Name
}

// digest tells a field from those whose names come to the same.
func digest(path []string) string {
	sum := sha256.Sum256([]byte(strings.Join(path, "\x00")))
	return fmt.Sprintf("%x", sum[:4])
}

// sqlType returns the type of the column that holds every value of a shape.
func sqlType(s *model.Shape) string {
	switch s.Kind {
	case model.BoolShape:
		return "boolean"
	case model.IntShape:
		return map[int]string{8: "smallint", 16: "smallint", 32: "integer", 64: "bigint"}[s.Bits]
	case model.UintShape:
		return map[int]string{8: "smallint", 16: "integer", 32: "bigint", 64: "numeric"}[s.Bits]
	case model.FloatShape:
		return map[int]string{32: "real", 64: "double precision"}[s.Bits]
	case model.NumberShape:
		return "numeric"
	case model.StringShape:
		return "text"
	case model.TextShape:
		if s.Type == "github.com/google/uuid.UUID" {
			return "uuid"
		}
		return "text"
	case model.BytesShape:
		return "bytea"
	case model.TimeShape:
		return "timestamptz"
	}
	return "jsonb" // objects, arrays, maps, and what a type writes as it likes
}

// Expression returns the SQL of a column.
func (d Design) Expression(c Column) string { return d.Dialect.expression(d, c) }
