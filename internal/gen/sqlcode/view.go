package sqlcode

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/eventmap/eventmap/internal/model"
	"github.com/eventmap/eventmap/internal/pgname"
)

// A view shows one version of an event with a column for each field. It is recorded as it is, so that a later run knows
// what is there without the code that it came from.
type view struct {
	Name      string   `json:"name"`
	Aggregate string   `json:"aggregate"`
	Event     string   `json:"event"`
	Version   int      `json:"version"`
	Comment   string   `json:"comment"`
	Columns   []column `json:"columns,omitempty"`
}

// A column is a field of the event's JSON.
type column struct {
	Name    string `json:"name"`
	Field   string `json:"field"` // in JSON
	Type    string `json:"type"`  // in SQL
	Quoted  bool   `json:"quoted,omitempty"`
	Comment string `json:"comment,omitempty"`
}

// Table returns the view, which stands beside the events table.
func (v view) Table(events pgname.Table) pgname.Table { return events.Sibling(v.Name) }

// Expression returns the SQL that reads the column from the payload as JSON.
func (c column) Expression(payload string) string {
	text := fmt.Sprintf("%s ->> %s", payload, literal(c.Field))
	switch {
	case c.Type == "jsonb":
		return fmt.Sprintf("nullif((%s -> %s)::jsonb, 'null')", payload, literal(c.Field))
	case c.Type == "bytea":
		return fmt.Sprintf("decode(%s, 'base64')", text)
	case c.Quoted && c.Type == "text":
		return fmt.Sprintf("(%s)::jsonb #>> '{}'", text)
	case c.Type == "text":
		return text
	}
	return fmt.Sprintf("(%s)::%s", text, c.Type)
}

// PayloadJSON returns the SQL expression of a payload as JSON; an empty one is null.
func (d design) PayloadJSON() string {
	if d.KeepsBytes() {
		return "nullif(convert_from(payload, 'UTF8'), '')::json"
	}
	return "payload"
}

// literal returns a string for SQL.
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// views returns the views of the domain, by name. The error holds every two that would have the same name.
func (o Options) views() ([]view, error) {
	if o.Domain == nil {
		return o.recorded, nil
	}
	var all []view
	var problems []error
	for _, a := range o.Domain.Aggregates {
		for _, e := range a.Events {
			v := newView(a.Name, e)
			if i := slices.IndexFunc(all, func(other view) bool { return other.Name == v.Name }); i >= 0 {
				problems = append(problems, fmt.Errorf("%s: version %d of %s %s would have the view %s, as version %d of %s %s has; "+
					"rename one with name=", e.Pos, v.Version, v.Aggregate, v.Event, v.Name, all[i].Version, all[i].Aggregate, all[i].Event))
			}
			all = append(all, v)
		}
	}
	slices.SortFunc(all, func(a, b view) int { return strings.Compare(a.Name, b.Name) })
	return all, errors.Join(problems...)
}

func newView(aggregate string, e model.Event) view {
	v := view{
		Name:      viewName(aggregate, e),
		Aggregate: aggregate,
		Event:     e.Name,
		Version:   e.Version,
		Comment:   sentence(e.Doc),
	}
	if v.Comment == "" {
		v.Comment = fmt.Sprintf("Version %d of %s %s.", e.Version, aggregate, e.Name)
	}
	if e.Payload == nil || e.Payload.Kind != model.ObjectShape {
		return v
	}
	taken := map[string]int{"global_position": 2, "created_at": 2, "event_id": 2, "aggregate_id": 2, "aggregate_version": 2}
	for _, f := range e.Payload.Fields {
		taken[columnName(f.Name)]++
	}
	for _, f := range e.Payload.Fields {
		name := columnName(f.Name)
		if taken[name] > 1 { // two fields, or one beside a column of the log: each by its name in JSON, which is its own
			name = pgname.Table{Name: "payload"}.Derived(f.Name).Name
		}
		v.Columns = append(v.Columns, column{
			Name: name, Field: f.Name, Type: sqlType(f.Shape), Quoted: f.Quoted, Comment: sentence(f.Doc),
		})
	}
	return v
}

// viewName returns order_placed_v2. Where the event's name begins with the aggregate's, that is not said twice.
func viewName(aggregate string, e model.Event) string {
	first, rest := snake(aggregate), snake(e.Name)
	rest = strings.TrimPrefix(rest, first+"_")
	return pgname.Table{Name: first}.Derived(rest + "_v" + strconv.Itoa(e.Version)).Name
}

// columnName returns the name of the column for a field, within what PostgreSQL keeps.
func columnName(field string) string {
	name := snake(field)
	if len(name) > pgname.MaxBytes {
		return pgname.Table{Name: "field"}.Derived(name).Name
	}
	return name
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

// snake returns a name of Go or JSON as one of SQL: PlacedAt, placedAt and SKU become placed_at and sku.
func snake(name string) string {
	runes := []rune(name)
	var b strings.Builder
	for i, r := range runes {
		upper := unicode.IsUpper(r)
		if upper && i > 0 && runes[i-1] != '_' {
			after := i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if !unicode.IsUpper(runes[i-1]) || after {
				b.WriteByte('_')
			}
		}
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(unicode.ToLower(r))
		default:
			b.WriteByte('_')
		}
	}
	return b.String()
}

// sentence returns the comment in one line that every tool leaves as it is: some take {{ or ${ for theirs.
func sentence(doc string) string {
	line := strings.Join(strings.Fields(doc), " ")
	return strings.NewReplacer("{{", "{ {", "}}", "} }", "${", "$ {", "\x00", "").Replace(line)
}
