// Package doctor asks a database whether it is as a design says: each Check is a query, and what mends its findings. It
// runs none of them.
package doctor

import (
	"errors"
	"strings"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/pgname"
)

// A Check asks for something that a database of a design has.
type Check struct {
	Object string // what it is about: "table events"
	Reason string // what is wrong if it is not there: "is missing"
	// Query asks for it. It returns a statement that mends it for each thing that is wrong, and no row if all is well. An
	// empty statement is where it takes a migration.
	Query string
	Args  []any
}

// Checks returns what to ask a database of a design beyond what every store needs, which is the runtime's to say. A query
// is to be run only if those before it, of the same object, found nothing.
func Checks(d design.Design) ([]Check, error) {
	if !d.Dialect.IsPostgres() {
		return nil, errors.New("--doctor: is not available for sqlite; sqlite.Check looks at a database of that")
	}
	c := collector{Script: design.Script{Design: d}}
	if d.OnlySubjectKeys() {
		c.add("table "+c.SubjectKeys.String(), "is missing", "missing_table.sql.tmpl", c.SubjectKeys, "subject_keys.sql.tmpl", c.Script)
		c.rights()
		return c.all, c.err
	}
	c.tables()
	c.keys()
	c.columns()
	c.collations()
	c.functions()
	c.indexes()
	c.check()
	c.triggers()
	c.partitions()
	c.rights()
	c.views()
	return c.all, c.err
}

// A collector collects checks.
type collector struct {
	design.Script
	all []Check
	err error
}

// add adds a check. With mends, that template is the statement that the query returns.
func (c *collector) add(object, reason, query string, with any, mends string, mendsWith any) {
	text, err := c.Dialect.Render(query, with)
	check := Check{Object: object, Reason: reason, Query: text}
	if mends != "" {
		statement, mendErr := c.Dialect.Render(mends, mendsWith)
		err = errors.Join(err, mendErr)
		check.Args = []any{strings.TrimSuffix(statement, "\n")}
	}
	c.err = errors.Join(c.err, err)
	c.all = append(c.all, check)
}

func (c *collector) tables() {
	type table struct {
		name pgname.Table
		made string
	}
	tables := []table{
		{c.Events, "events.sql.tmpl"},
		{c.Heads, "aggregate_heads.sql.tmpl"},
		{c.Checkpoints, "consumer_checkpoints.sql.tmpl"},
		{c.Parked, "parked_events.sql.tmpl"},
	}
	if c.HasLogs() {
		tables = append(tables, table{c.EventLogs, "event_logs.sql.tmpl"})
	}
	if c.HasSnapshots() {
		tables = append(tables, table{c.Snapshots, "snapshots.sql.tmpl"})
	}
	if c.HasSubjectKeys() {
		tables = append(tables, table{c.SubjectKeys, "subject_keys.sql.tmpl"})
	}
	for _, table := range tables {
		c.add("table "+table.name.String(), "is missing", "missing_table.sql.tmpl", table.name, table.made, c.Script)
	}
}

// keys asks for the keys of the tables that only consumers use.
func (c *collector) keys() {
	part := "segment"
	if c.HasLogs() {
		part = "log"
	}
	for _, table := range []struct {
		pgname.Table
		Columns string
	}{
		{c.Checkpoints, "consumer, " + part},
		{c.Parked, "consumer, " + c.LogKey() + "global_position"},
	} {
		c.add("table "+table.String(), "has no primary key on ("+table.Columns+")", "missing_key.sql.tmpl", table, "add_key.sql.tmpl", table)
	}
}

func (c *collector) columns() {
	type column struct {
		design.Script
		Column, Type string
	}
	former := "bytea"
	if c.KeepsBytes() {
		former = "jsonb"
	}
	c.add("column payload of "+c.Events.String(), "is not "+c.Payload,
		"column_type.sql.tmpl", column{c.Script, "payload", c.Payload}, "change_payload.sql.tmpl", design.Conversion{Script: c.Script, From: former})
	c.add("column metadata of "+c.Events.String(), "is not "+c.Metadata,
		"column_type.sql.tmpl", column{c.Script, "metadata", c.Metadata}, "change_metadata.sql.tmpl", c.Script)
}

// collations asks for columns that take different texts for the same, so that streams, or consumers, become one.
func (c *collector) collations() {
	type column struct {
		design.Script
		Table  pgname.Table
		Column string
	}
	log := []string{"aggregate_type", "aggregate_id", "event_type"}
	consumer := []string{"consumer"}
	for _, table := range []struct {
		name    pgname.Table
		columns []string
		views   []design.View // that have to be made anew
	}{
		{c.Events, log, c.Views},
		{c.Heads, log[:2], nil},
		{c.Checkpoints, consumer, nil},
		{c.Parked, append([]string{"consumer"}, log[:2]...), nil},
	} {
		for _, name := range table.columns {
			with := column{c.WithViews(table.views), table.name, name}
			c.add("column "+name+" of "+table.name.String(), "has a nondeterministic collation, which takes different texts for the same",
				"collation.sql.tmpl", with, "change_collation.sql.tmpl", with)
		}
	}
}

func (c *collector) indexes() {
	for _, wanted := range c.Indexes {
		query, made := "missing_index.sql.tmpl", "index_concurrently.sql.tmpl"
		if c.Partitioned() {
			query, made = "missing_partition_index.sql.tmpl", "indexes.sql.tmpl"
		}
		with := struct {
			design.Script
			design.Index
			Relation, Table pgname.Table
		}{c.WithIndexes([]design.Index{wanted}), wanted, c.Events.Sibling(wanted.Name), c.Events}
		c.add("index "+wanted.Name+" on "+c.Events.String(), "is missing or invalid", query, with, made, with)
	}
}

func (c *collector) check() {
	if !c.Strict {
		return
	}
	object := "check " + c.KnownCheck() + " of " + c.Events.String()
	anew := design.StrictChange{Script: c.Script, Adds: true, NotValid: true}
	c.add(object, "is missing, so that any event can be stored", "missing_check.sql.tmpl", c.Script, "strict_anew.sql.tmpl", anew)
	anew.Drops = true
	if !c.KnownInline {
		c.add(object, "asks no function that knows the events", "missing_known_function.sql.tmpl", c.Script, "strict_anew.sql.tmpl", anew)
	}
	c.add(object, "does not know all events of the domain", "unknown_event.sql.tmpl", c.Script, "strict_anew.sql.tmpl", anew)
	c.add(object, "was not validated: what was stored before it was not looked at", "not_validated.sql.tmpl", c.Script, "", nil)
}

func (c *collector) functions() {
	if functions := c.PayloadFunctions(); len(functions) > 0 {
		all := c.Script
		all.Replaces = true
		c.add("function "+functions[0].String()+" and those beside it", "are missing, which views and indexes call",
			"missing_functions.sql.tmpl", c.Script, "payload_functions.sql.tmpl", all)
	}
}

func (c *collector) triggers() {
	trigger := func(name, reason, made string) {
		with := struct {
			design.Script
			Trigger string
		}{c.Script, name}
		object := "trigger " + name + " of " + c.Events.String()
		c.add(object, "is missing"+reason, "missing_trigger.sql.tmpl", with, made, c.Script)
		c.add(object, "is disabled"+reason, "disabled_trigger.sql.tmpl", with, "", nil)
	}
	if c.AppendOnly {
		trigger(c.AppendOnlyFunction().Name, ", so that events can be changed", "append_only.sql.tmpl")
	}
	if c.ByPosition() {
		trigger(c.EventIDOnceFunction().Name, ", so that an event can be stored twice", "event_id_once.sql.tmpl")
	}
}

func (c *collector) partitions() {
	object := "table " + c.Events.String()
	strategy := map[string]string{"hash": "h", "range": "r", "partman": "r"}[c.Partition.Layout]
	c.add(object, "is not partitioned as was asked for: "+c.Partition.Layout, "layout.sql.tmpl", struct {
		design.Script
		Strategy string
	}{c.Script, strategy}, "", nil)
	if c.Partition.Layout == "range" {
		c.add(object, "has events in its default partition", "default_partition.sql.tmpl", c.Script, "", nil)
		c.add(object, "has no whole partition ahead of the log", "partitions_ahead.sql.tmpl", c.Script, "", nil)
	}
}

func (c *collector) views() {
	for _, v := range c.Views {
		table := v.Table(c.Events)
		c.add("view "+table.String(), "is missing", "missing_table.sql.tmpl", table, "views.sql.tmpl", c.WithViews([]design.View{v}))
	}
}

func (c *collector) rights() {
	for _, role := range c.Grants {
		c.add("role "+role, "lacks rights", "rights.sql.tmpl", struct {
			design.Script
			Role string
		}{c.Script, role}, "", nil)
	}
	for _, role := range c.ForgetGrants {
		c.add("role "+role, "lacks rights to forget", "rights_to_forget.sql.tmpl", struct {
			design.Script
			Role string
		}{c.Script, role}, "", nil)
	}
	if c.AppendOnly {
		c.add("table "+c.Events.String(), "may be changed by others than its owner", "rights_to_change.sql.tmpl", c.Script, "", nil)
	}
}
