package design

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/eventmap/eventmap/internal/model"
	"github.com/eventmap/eventmap/internal/pgname"
)

// A View shows one version of an event with a column for each field. It is recorded as it is, so that a later run knows
// what is there without the code that it came from.
type View struct {
	Name      string   `json:"name"`
	Aggregate string   `json:"aggregate"`
	Event     string   `json:"event"`
	Version   int      `json:"version"`
	Comment   string   `json:"comment"`
	Columns   []Column `json:"columns,omitempty"`
}

// Table returns the view, which stands beside the events table.
func (v View) Table(events pgname.Table) pgname.Table { return events.Sibling(v.Name) }

// Condition returns the SQL that holds for the events that the view shows.
func (v View) Condition() string {
	return fmt.Sprintf("aggregate_type = %s and event_type = %s and event_version = %d", literal(v.Aggregate), literal(v.Event), v.Version)
}

// uncommented returns the view without what is said of it.
func (v View) uncommented() View {
	v.Comment, v.Columns = "", slices.Clone(v.Columns)
	for i := range v.Columns {
		v.Columns[i].Comment = ""
	}
	return v
}

// ViewsBeside returns the views that another design does not have just so, but for comments that can be changed apart.
func (d Design) ViewsBeside(other Design) []View {
	same := func(a, b View) bool {
		if d.Dialect.comments {
			a, b = a.uncommented(), b.uncommented()
		}
		return reflect.DeepEqual(a, b)
	}
	return slices.DeleteFunc(slices.Clone(d.Views), func(v View) bool {
		return slices.ContainsFunc(other.Views, func(o View) bool { return same(v, o) })
	})
}

// ViewsCommented returns the views that a former design has too, with other comments, and of their columns those that have
// other comments.
func (d Design) ViewsCommented(former Design) []View {
	var commented []View
	for _, v := range d.Views {
		i := slices.IndexFunc(former.Views, func(f View) bool { return reflect.DeepEqual(v.uncommented(), f.uncommented()) })
		if i < 0 || !d.Dialect.comments || reflect.DeepEqual(v, former.Views[i]) {
			continue
		}
		old := former.Views[i].Columns
		v.Columns = slices.DeleteFunc(slices.Clone(v.Columns), func(c Column) bool {
			return slices.ContainsFunc(old, func(o Column) bool { return reflect.DeepEqual(c, o) })
		})
		commented = append(commented, v)
	}
	return commented
}

// viewsOf returns the views of a domain, by name. The error holds every two that would have the same name, and every mark
// of an index that cannot be. The views of many logs have a column for the log.
func viewsOf(domain *model.Domain, ofLogs bool) ([]View, error) {
	if domain == nil {
		return nil, nil
	}
	var all []View
	var problems []error
	marks := newMarks()
	marks.ofLogs = ofLogs
	for _, a := range domain.Aggregates {
		for _, e := range a.Events {
			v := newView(a.Name, e, marks)
			if i := slices.IndexFunc(all, func(other View) bool { return other.Name == v.Name }); i >= 0 {
				problems = append(problems, fmt.Errorf("%s: version %d of %s %s would have the view %s, as version %d of %s %s has; "+
					"rename one with name=", e.Pos, v.Version, v.Aggregate, v.Event, v.Name, all[i].Version, all[i].Aggregate, all[i].Event))
			}
			all = append(all, v)
		}
	}
	slices.SortFunc(all, func(a, b View) int { return strings.Compare(a.Name, b.Name) })
	return all, errors.Join(errors.Join(problems...), marks.err(domain))
}

func newView(aggregate string, e model.Event, marks *marks) View {
	v := View{
		Name:      viewName(aggregate, e),
		Aggregate: aggregate,
		Event:     e.Name,
		Version:   e.Version,
		Comment:   sentence(e.Doc),
	}
	if v.Comment == "" {
		v.Comment = sentence(fmt.Sprintf("Version %d of %s %s.", e.Version, aggregate, e.Name))
	}
	if left := personalOf(e); left != "" {
		v.Comment += " Personal data is left out: " + left + "."
	}
	switch {
	case e.Payload == nil:
	case e.Payload.Kind != model.ObjectShape: // its type writes its JSON as it likes
		v.Columns = []Column{{Name: "payload", Type: "jsonb"}}
	default:
		v.Columns = columnsOf(e, marks)
	}
	return v
}

// personalOf returns the names of the fields of an event that are personal.
func personalOf(e model.Event) string {
	var names []string
	for _, f := range e.Personal() {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// viewName returns order_placed_v2. Where the event's name begins with the aggregate's, that is not said twice.
func viewName(aggregate string, e model.Event) string {
	first, rest := snake(aggregate), snake(e.Name)
	rest = strings.TrimPrefix(rest, first+"_")
	return pgname.Table{Name: first}.Derived(rest + "_v" + strconv.Itoa(e.Version)).Name
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
