package postgres

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// A record is what [Check] takes from the file eventmap.schema.json of migrate-gen.
type record struct {
	Generator string `json:"generator"`
	Dialect   string `json:"dialect"`
	Known     string `json:"known"` // "function": a check asks one which events may enter
	Schema    struct {
		AppendOnly bool `json:"append-only"`
		Strict     bool `json:"strict"`
	} `json:"schema"`
	Views []struct {
		Name      string `json:"name"`
		Aggregate string `json:"aggregate"`
		Event     string `json:"event"`
		Version   int    `json:"version"`
	} `json:"views"`
	Migrations []struct {
		File string `json:"file"`
	} `json:"migrations"`
}

// readRecord returns the record that an option gives.
func readRecord(text []byte) (r record, err error) {
	err = json.Unmarshal(text, &r)
	switch {
	case err != nil:
		return r, fmt.Errorf("WithRecord: %w", err)
	case r.Generator != "migrate-gen":
		return r, errors.New("WithRecord: it is no eventmap.schema.json of migrate-gen")
	case r.Dialect != "" && r.Dialect != "postgres":
		return r, fmt.Errorf("WithRecord: it is the record of migrations for %s", r.Dialect)
	}
	return r, nil
}

// record compares the database with what the migrations of a record come to.
func (k *checker) record(text []byte) error {
	if text == nil {
		return nil
	}
	r, err := readRecord(text)
	if err != nil {
		return err
	}
	remedy := "run the migrations of the record that have not been run"
	if n := len(r.Migrations); n > 0 {
		remedy += ", the last of which is " + r.Migrations[n-1].File
	}
	return errors.Join(k.recordedViews(r, remedy), k.recordedGuards(r, remedy))
}

// recordedViews finds the views that are missing.
func (k *checker) recordedViews(r record, remedy string) error {
	names, quoted := make([]string, len(r.Views)), make([]string, len(r.Views))
	for i, v := range r.Views {
		names[i], quoted[i] = v.Name, k.tables.events.Sibling(v.Name).Quoted()
	}
	var name string
	return k.each("record_views.sql", []any{names, quoted}, []any{&name}, func() {
		k.problem("view "+name, "is missing", remedy)
	})
}

// recordedGuards finds what protects the log in the record, and not in the database; and events of the domain that the
// database refuses.
func (k *checker) recordedGuards(r record, remedy string) error {
	events := k.tables.events
	trigger, check, function := events.Derived("append_only").Name, events.KnownCheck(), events.Derived("known").Quoted()
	var guarded, checked, asks bool
	args := []any{events.Quoted(), trigger, check, function + "(text, text, integer)"}
	err := k.each("record_guards.sql", args, []any{&guarded, &checked, &asks}, func() {})
	if err != nil {
		return err
	}
	if r.Schema.AppendOnly && !guarded {
		k.problem("table "+events.String(), "is not append-only: its trigger "+trigger+" is missing or disabled", remedy)
	}
	if r.Schema.Strict && !checked {
		k.problem("table "+events.String(), "takes events that the domain does not have: its check "+check+" is missing", remedy)
	}
	if !r.Schema.Strict || !checked || !asks {
		return nil
	}
	var aggregates, names, versions []string
	for _, v := range r.Views {
		aggregates, names, versions = append(aggregates, v.Aggregate), append(names, v.Event), append(versions, strconv.Itoa(v.Version))
	}
	var aggregate, name string
	var version int
	return k.query(query{`-- eventmap: check known events
select k.aggregate, k.event, k.version::integer
from unnest($1::text[], $2::text[], $3::text[]) with ordinality as k (aggregate, event, version, place)
where not ` + function + `(k.aggregate, k.event, k.version::integer)
order by k.place`, []any{aggregates, names, versions}}, []any{&aggregate, &name, &version}, func() {
		k.problem(fmt.Sprintf("event %s.%s.v%d", aggregate, name, version), "is refused by the check "+check+" of table "+events.String(), remedy)
	})
}
