package postgres

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/eventmap/eventmap/internal/pgname"
)

// A relation is what is known of a table after it was found.
type relation struct {
	oid      int64
	selects  bool // the role may
	kind     string
	unlogged bool
	comment  string
}

// table is find for a table that has to be there.
func (k *checker) table(t pgname.Table, rights ...string) (*relation, error) {
	found, err := k.find(t, rights...)
	if err == nil && found == nil {
		k.problem("table "+t.String(), "is missing", "create it with the SQL that `migrate-gen"+k.tables.flags()+"` writes")
	}
	return found, err
}

// find looks for a table and for the rights that are needed on it. A nil relation means that it is missing.
func (k *checker) find(t pgname.Table, rights ...string) (*relation, error) {
	var found *relation
	var r relation
	has := make([]bool, 4)
	dest := []any{&r.oid, &r.kind, &r.unlogged, &r.comment, &has[0], &has[1], &has[2], &has[3]}
	err := k.each("table.sql", []any{t.Quoted()}, dest, func() {
		found = &r
		r.selects = has[0]
		var lacking []string
		for i, right := range []string{"select", "insert", "update", "delete"} {
			if slices.Contains(rights, right) && !has[i] {
				lacking = append(lacking, right)
			}
		}
		if lacking != nil {
			list := strings.Join(lacking, ", ")
			k.problem("table "+t.String(), "may not be used by this role: it lacks "+list, "grant "+list+" on "+t.Quoted()+" to it")
		}
		if r.unlogged {
			k.mend("table "+t.String(), "is unlogged: a crash empties it", "alter table "+t.Quoted()+" set logged")
		}
	})
	return found, err
}

// A column is what a store needs of a column.
type column struct {
	name     string
	types    []string
	nullable bool
	filled   bool // the database gives it a value
}

var eventColumns = []column{
	{name: "global_position", types: []string{"bigint"}, filled: true},
	{name: "aggregate_type", types: []string{"text"}},
	{name: "aggregate_id", types: []string{"text"}},
	{name: "aggregate_version", types: []string{"bigint"}},
	{name: "event_id", types: []string{"uuid"}},
	{name: "event_type", types: []string{"text"}},
	{name: "event_version", types: []string{"integer"}},
	// payload is of the type that the configuration says
	{name: "trace_id", types: []string{"text"}, nullable: true},
	{name: "correlation_id", types: []string{"text"}, nullable: true},
	{name: "causation_id", types: []string{"text"}, nullable: true},
	{name: "metadata", types: []string{"json", "jsonb"}, nullable: true},
	{name: "created_at", types: []string{"timestamp with time zone"}},
}

var headColumns = []column{
	{name: "aggregate_type", types: []string{"text"}},
	{name: "aggregate_id", types: []string{"text"}},
	{name: "aggregate_version", types: []string{"bigint"}},
}

// columns compares the columns of a table with those that are needed. A column too many is a problem if an append, which
// gives it no value, would fail on it.
func (k *checker) columns(t pgname.Table, r *relation, needed []column) error {
	var name, kind, collation string
	var notNull, filled, deterministic bool
	missing := make(map[string]column, len(needed))
	for _, c := range needed {
		missing[c.name] = c
	}
	err := k.each("columns.sql", []any{r.oid}, []any{&name, &kind, &notNull, &filled, &collation, &deterministic}, func() {
		object := "column " + name + " of " + t.String()
		c, known := missing[name]
		delete(missing, name)
		if other, is := k.collations[name]; is && other != collation {
			k.mixed = true
		}
		k.collations[name] = collation
		switch {
		case !known && notNull && !filled:
			k.problem(object, "is not null and has no default, so that no append succeeds", "give it a default or drop it")
		case !known:
		case !slices.Contains(c.types, kind):
			k.readable = false
			k.problem(object, "is "+kind+", not "+strings.Join(c.types, " or "), k.migrate())
		case !deterministic:
			k.mend(object, "has the nondeterministic collation "+collation+", by which names that differ are one: streams are taken for each other",
				"alter table "+t.Quoted()+" alter column "+pgname.Quote(name)+` type text collate "C"`)
		case c.nullable && notNull && name != "payload":
			k.mend(object, "is not null, but events may have none", "alter table "+t.Quoted()+" alter column "+pgname.Quote(name)+" drop not null")
		case c.filled && !filled && r.kind == "r":
			k.mend(object, "is no identity and has no default", fmt.Sprintf("alter table %[1]s alter column %[2]s add generated always as identity "+
				"(sequence name %[3]s cache 1); select setval('%[3]s', max(%[2]s)) from %[1]s",
				t.Quoted(), pgname.Quote(name), t.Sequence().Quoted()))
		case c.filled && !filled:
			k.problem(object, "is no identity and has no default", k.migrate())
		}
	})
	for _, c := range needed {
		if _, is := missing[c.name]; !is || err != nil {
			continue
		}
		k.readable = false
		object := "column " + c.name + " of " + t.String()
		if c.nullable && c.types[0] == "text" {
			k.mend(object, "is missing", "alter table "+t.Quoted()+" add column "+pgname.Quote(c.name)+` text collate "C"`)
			continue
		}
		k.problem(object, "is missing", k.migrate())
	}
	return err
}

// A key is a unique key that a store needs.
type key struct {
	columns string
	name    string // of the constraint
	kind    string // "primary key" or "unique"
}

// keys checks that the table has the unique keys. A partitioned table cannot have all of them; what it can have is
// between its layout and its owner.
func (k *checker) keys(t pgname.Table, r *relation, needed ...key) error {
	if r.kind == "p" {
		return nil
	}
	var columns string
	var found []string
	err := k.each("keys.sql", []any{r.oid}, []any{&columns}, func() { found = append(found, columns) })
	for _, n := range needed {
		if !slices.Contains(found, n.columns) && err == nil {
			k.mend("table "+t.String(), "has no unique key on ("+n.columns+")",
				"alter table "+t.Quoted()+" add constraint "+pgname.Quote(n.name)+" "+n.kind+" ("+n.columns+")")
		}
	}
	return err
}

var snapshotColumns = []column{
	{name: "aggregate_type", types: []string{"text"}},
	{name: "aggregate_id", types: []string{"text"}},
	{name: "fingerprint", types: []string{"text"}},
	{name: "aggregate_version", types: []string{"bigint"}},
	{name: "state", types: []string{"bytea"}},
	{name: "key_ids", types: []string{"text[]"}},
	{name: "saved_at", types: []string{"timestamp with time zone"}},
}

// rangeBound finds the bounds in what PostgreSQL prints for a range partition of one bigint column.
var rangeBound = regexp.MustCompile(`^FOR VALUES FROM \('?(MINVALUE|-?\d+)'?\) TO \('?(MAXVALUE|-?\d+)'?\)$`)

// partitions checks that positions have somewhere to go: as many as the last partition holds, or a DEFAULT partition,
// which should stay empty.
func (k *checker) partitions(t pgname.Table, r *relation) error {
	if r.kind != "p" {
		return nil
	}
	var name, bound, strategy string
	var rows, isRange, isDefault, open bool
	var begin, end, width int64
	begin = math.MaxInt64
	err := k.each("partitions.sql", []any{r.oid}, []any{&name, &bound, &strategy, &rows}, func() {
		isRange = strategy == "r"
		if bound == "DEFAULT" {
			isDefault = true
			if rows {
				k.problem("partition "+name, "is the default and holds events", "make partitions ahead of the log and move its events there")
			}
			return
		}
		if m := rangeBound.FindStringSubmatch(bound); m != nil {
			from, openErr := strconv.ParseInt(m[1], 10, 64)
			if openErr != nil {
				from = 0 // MINVALUE
			}
			begin = min(begin, from)
			to, err := strconv.ParseInt(m[2], 10, 64)
			if open = open || err != nil; to > end {
				end, width = to, to-from
			}
		}
	})
	if err == nil && isRange && begin != math.MaxInt64 {
		k.floor = max(begin-1, 0)
	}
	if err != nil || !isRange || open || end == 0 {
		return err
	}
	if k.last+width >= end {
		remedy := "make partitions ahead of the log"
		if isDefault {
			remedy += "; until then events go to the default partition"
		} else {
			remedy += "; without one, and without a default partition, appends fail at position " + strconv.FormatInt(end, 10)
		}
		k.problem("table "+t.String(), fmt.Sprintf("runs out of partitions: the last ends at %d and the log is at %d", end, k.last), remedy)
	}
	return nil
}

// functions checks that the functions of the table's triggers find it in the schema that it is in. They do not after the schema
// was renamed or the table was moved to another, if an earlier version of migrate-gen made them: then every append fails.
func (k *checker) functions(t pgname.Table, r *relation) error {
	var name, schema, body, definition, path string
	found := func(in, statement string) {
		k.mend("function "+name, fmt.Sprintf("looks for the table in schema %q, in which it was before; it is in %q now: appends fail", in, schema), statement)
	}
	named := regexp.MustCompile(`"([^"]+)"\."` + regexp.QuoteMeta(t.Name) + `"|\b(?:from|join) ` + regexp.QuoteMeta(pgname.Quote(t.Name)))
	return k.each("functions.sql", []any{r.oid}, []any{&name, &schema, &body, &definition, &path}, func() {
		for _, m := range named.FindAllStringSubmatch(body, -1) {
			switch {
			case m[1] == "" && path != "":
				found(path, "alter function "+name+" set search_path = "+pgname.Quote(schema)+", pg_temp")
			case m[1] != "" && m[1] != schema:
				found(m[1], strings.ReplaceAll(definition, m[0], pgname.Quote(schema)+"."+pgname.Quote(t.Name)))
			default:
				continue
			}
			return
		}
	})
}
