package sqlcode

import (
	"errors"
	"fmt"
	"strings"

	"github.com/eventmap/eventmap/internal/pgname"
	"github.com/eventmap/eventmap/internal/sqlitename"
)

// The dialects.
const (
	postgres = "postgres"
	sqlite   = "sqlite"
)

// OnSQLite reports whether the design is for SQLite.
func (d design) OnSQLite() bool { return d.Dialect == sqlite }

// sqliteDesign is design for SQLite.
func (o Options) sqliteDesign() (design, error) {
	d := design{Dialect: sqlite, Version: o.version(), AppendOnly: o.AppendOnly, Retired: o.retired}
	var problems []error
	note := func(err error) {
		if err != nil {
			problems = append(problems, err)
		}
	}
	note(o.sqliteRefusals())
	table := func(what, name, otherwise string) pgname.Table {
		parsed, err := sqlitename.ParseTable(orDefault(name, otherwise))
		if err != nil {
			note(fmt.Errorf("%s %w", what, err))
		}
		return parsed
	}
	d.Events = table("events", o.EventsTable, pgname.EventsTable)
	d.Checkpoints = table("checkpoints", o.CheckpointsTable, pgname.CheckpointsTable)
	d.Parked = table("parked events", o.ParkedEventsTable, pgname.ParkedEventsTable)
	options, err := indexNames.findAll(o.Indexes)
	note(err)
	d.Views, err = o.views()
	note(err)
	d.asked = wantedIndexes(options, d.Views)
	d.Indexes = d.indexes(d.asked)
	if len(problems) == 0 {
		note(d.checkSQLiteNames())
	}
	return d, errors.Join(problems...)
}

// sqliteRefusals returns an error for each option that means nothing there, with the reason.
func (o Options) sqliteRefusals() error {
	var problems []error
	for _, option := range []struct {
		name   string
		given  bool
		reason string
	}{
		{"schema", o.Schema != "", "it has none; a database is a file"},
		{"aggregate-heads-table", o.AggregateHeadsTable != "", "its log itself tells the version of a stream"},
		{"payload", orDefault(o.Payload, PayloadTypes[0]) != PayloadTypes[0], "its payload column is a blob, which keeps any bytes"},
		{"metadata", orDefault(o.Metadata, MetadataTypes[0]) != MetadataTypes[0], "its metadata column is text, which keeps JSON as it is written"},
		{"strict", o.Strict, "the checks of its tables are fixed when they are made"},
		{"grant", len(o.Grants) > 0, "it has no roles; the rights are those on the file"},
		{"partition", orDefault(o.Partition, none) != none, "it has no partitions"},
		{"partition-size", o.PartitionSize != 0, "it has no partitions"},
		{"partitions", o.Partitions != 0, "it has no partitions"},
		{"partman-schema", o.PartmanSchema != "", "it has no partitions"},
		{"partman-maintenance", orDefault(o.PartmanMaintenance, none) != none, "it has no partitions"},
		{"from", o.From != "", "the stores that a log is moved from are on PostgreSQL"},
	} {
		if option.given {
			problems = append(problems, fmt.Errorf("--%s: is not available for sqlite: %s", option.name, option.reason))
		}
	}
	return errors.Join(problems...)
}

// checkSQLiteNames returns an error for each two things that would have the same name, in whatever case.
func (d design) checkSQLiteNames() error {
	all := []relation{
		{d.Events, "the events table"},
		{d.Checkpoints, "the checkpoints table"},
		{d.Parked, "the parked events table"},
		{d.Parked.Derived("aggregate_id_idx"), "the index on the streams of parked events"},
	}
	for _, index := range d.Indexes {
		all = append(all, relation{d.Events.Sibling(index.Name), "an index that was asked for"})
	}
	for _, view := range d.Views {
		all = append(all, relation{view.Table(d.Events), "the view of " + view.Aggregate + " " + view.Event})
	}
	var problems []error
	for i, b := range all {
		for _, a := range all[:i] {
			if sqlitename.Same(a.name.Name, b.name.Name) {
				problems = append(problems, fmt.Errorf("%s would be %s and %s; choose other table names", b.name, a.what, b.what))
			}
		}
	}
	return errors.Join(problems...)
}

// checkFormat returns an error if the tool does not know the database of the design.
func (d design) checkFormat(f format) error {
	if d.OnSQLite() && f.postgresOnly {
		return fmt.Errorf("format %s: is not available for sqlite: that tool is for PostgreSQL", f.name)
	}
	return nil
}

// AppendOnlyOperations returns what the triggers on an append-only log refuse.
func (d design) AppendOnlyOperations() []string { return []string{"update", "delete"} }

// AppendOnlyTrigger returns the name of the trigger that refuses an operation on the log.
func (d design) AppendOnlyTrigger(operation string) string {
	return d.Events.Derived("append_only_" + operation).Name
}

// sqliteMigrations is migrations for SQLite: at most one, since it has a lock for all.
func (f format) sqliteMigrations(from, to design) ([]migration, error) {
	name, up, err := f.sqliteChange(from, to)
	if err != nil || up == "" {
		return nil, err
	}
	_, down, err := f.sqliteChange(to, from)
	if err != nil {
		return nil, err
	}
	return []migration{{name: name, up: up, down: down}}, nil
}

// sqliteChange is change for SQLite. What hangs on a table that gets another name goes first and comes back last.
func (f format) sqliteChange(from, to design) (name, sql string, err error) {
	var parts, names []string
	add := func(name, template string, with any) {
		part, renderErr := renderSQLite(template, with)
		err = errors.Join(err, renderErr)
		parts, names = append(parts, part), append(names, name)
	}
	before, after := script{design: from, format: f}, script{design: to, format: f}
	moved := from.Events != to.Events
	fewer, more := missingViews(from.Views, to.Views), missingViews(to.Views, from.Views)
	dropped, created := missing(from.Indexes, to.Indexes), missing(to.Indexes, from.Indexes)
	if moved {
		fewer, more = from.Views, to.Views
	}
	if len(fewer) > 0 {
		add("views", "views.down.sql.tmpl", before.withViews(fewer))
	}
	satellites := moved || from.AppendOnly != to.AppendOnly
	if from.AppendOnly && satellites {
		add("append_only", "append_only.down.sql.tmpl", before)
	}
	if len(dropped) > 0 {
		add("index", "indexes.down.sql.tmpl", before.withIndexes(dropped))
	}
	if from.tables != to.tables {
		add("names", "change_names.sql.tmpl", struct {
			script
			Renames  []rename
			Reparked bool
			Former   pgname.Table
		}{after, sqliteRenames(from, to), from.Parked != to.Parked, from.Parked})
	}
	if len(created) > 0 {
		add("index", "indexes.sql.tmpl", after.withIndexes(created))
	}
	if to.AppendOnly && satellites {
		add("append_only", "append_only.sql.tmpl", after)
	}
	if len(more) > 0 {
		add("views", "views.sql.tmpl", after.withViews(more))
	}
	if err != nil || len(parts) == 0 {
		return "", "", err
	}
	sql, err = renderSQLite("change.sql.tmpl", struct{ Parts []string }{parts})
	return changeName(names), sql, err
}

func sqliteRenames(from, to design) (renames []rename) {
	for _, r := range []rename{
		{From: from.Events, To: to.Events},
		{From: from.Checkpoints, To: to.Checkpoints},
		{From: from.Parked, To: to.Parked},
	} {
		if r.From != r.To {
			renames = append(renames, r)
		}
	}
	return renames
}

// SQLiteExpression returns the SQL that reads a column from the payload. What SQLite has no type for stays as it is in JSON:
// times, UUIDs and base64 are text, objects and arrays are JSON, and so are numbers that its integers cannot hold.
func (d design) SQLiteExpression(c column) string {
	fields := "payload_json"
	if c.Index != "" { // as the index has it
		fields = "(" + d.PayloadText() + ")"
	}
	path := "$"
	for _, name := range c.Path {
		path += `."` + name + `"`
	}
	path = literal(path)
	value := fmt.Sprintf("%s ->> %s", fields, path)
	json := fmt.Sprintf("nullif(%s -> %s, 'null')", fields, path)
	switch c.Type {
	case "jsonb":
		return json
	case "numeric":
		if !c.Quoted {
			return json // digit for digit
		}
	case "boolean":
		if c.Quoted {
			return fmt.Sprintf("(%s) = 'true'", value)
		}
	case "smallint", "integer", "bigint":
		return fmt.Sprintf("cast(%s as integer)", value)
	case "real", "double precision":
		return fmt.Sprintf("cast(%s as real)", value)
	case "text":
		if c.Quoted {
			return fmt.Sprintf("case when json_valid(%s) then json_extract(%s, '$') end", value, value)
		}
	}
	return value
}

// PayloadText returns the SQL expression of a payload as JSON. It is null where there is none: one odd payload must not keep
// others from being read.
func (d design) PayloadText() string {
	return "case when json_valid(cast(payload as text)) then cast(payload as text) end"
}

// sqliteFieldIndex returns the index on a field. There is one kind, whatever method the mark names.
func (d design) sqliteFieldIndex(v view, c column) index {
	return index{
		Subject: v.Name + "_" + snake(c.Name),
		Name:    d.Events.Derived(v.Name + "_" + c.Name + "_idx").Name,
		Columns: fmt.Sprintf("(%s)\n    where %s", d.SQLiteExpression(c), v.Condition()),
		Why:     fmt.Sprintf("Events of %s by %s.", v.Name, c.Name),
	}
}

// sqliteComment returns a text that can stand in a comment of SQL, and is no end of a statement to any tool.
func sqliteComment(text string) string { return strings.NewReplacer("\n", " ", ";", ",").Replace(text) }
