package sqlcode

import (
	"errors"
	"strings"

	"github.com/eventmap/eventmap/internal/pgname"
)

// A Need is something that a database of some options has.
type Need struct {
	Object string // what it is about: "table events"
	Reason string // what is wrong if it is not met: "is missing"
	// Query asks for it. It returns a statement that mends it for each thing that is wrong, and no row if all is well. An
	// empty statement is where it takes a migration.
	Query string
	Args  []any
}

// Needs returns what a database of the options has beyond what every store needs, which is the runtime's to say. A query
// is to be run only if those before it, of the same object, were met. The error holds every problem with the options.
func Needs(o Options) ([]Need, error) {
	d, err := o.design()
	if err != nil {
		return nil, err
	}
	if d.OnSQLite() {
		return nil, errors.New("--doctor: is not available for sqlite; sqlite.Check looks at a database of that")
	}
	n := needs{script: script{design: d, format: formats[0]}}
	n.tables()
	n.keys()
	n.columns()
	n.functions()
	n.indexes()
	n.check()
	n.triggers()
	n.partitions()
	n.rights()
	n.views()
	return n.all, n.err
}

// Tables returns the events table and the aggregate heads table of valid options, as a store is told of them.
func Tables(o Options) (events, heads string) {
	d, _ := o.design()
	return d.Events.String(), d.Heads.String()
}

// needs collects them.
type needs struct {
	script
	all []Need
	err error
}

// add adds a need. With mends, that template is the statement that the query returns.
func (n *needs) add(object, reason, query string, with any, mends string, mendsWith any) {
	text, err := render(query, with)
	need := Need{Object: object, Reason: reason, Query: text}
	if mends != "" {
		statement, mendErr := render(mends, mendsWith)
		err = errors.Join(err, mendErr)
		need.Args = []any{strings.TrimSuffix(statement, "\n")}
	}
	n.err = errors.Join(n.err, err)
	n.all = append(n.all, need)
}

func (n *needs) tables() {
	for _, table := range []struct {
		name pgname.Table
		made string
	}{
		{n.Events, "events.sql.tmpl"},
		{n.Heads, "aggregate_heads.sql.tmpl"},
		{n.Checkpoints, "consumer_checkpoints.sql.tmpl"},
		{n.Parked, "parked_events.sql.tmpl"},
	} {
		n.add("table "+table.name.String(), "is missing", "missing_table.sql.tmpl", table.name, table.made, n.script)
	}
}

// keys asks for the keys of the tables that only consumers use.
func (n *needs) keys() {
	for _, table := range []struct {
		pgname.Table
		Columns string
	}{
		{n.Checkpoints, "consumer, segment"},
		{n.Parked, "consumer, global_position"},
	} {
		n.add("table "+table.String(), "has no primary key on ("+table.Columns+")", "missing_key.sql.tmpl", table, "add_key.sql.tmpl", table)
	}
}

func (n *needs) columns() {
	type column struct {
		script
		Column, Type string
	}
	former := "bytea"
	if n.KeepsBytes() {
		former = "jsonb"
	}
	n.add("column payload of "+n.Events.String(), "is not "+n.Payload,
		"column_type.sql.tmpl", column{n.script, "payload", n.Payload}, "change_payload.sql.tmpl", conversion{n.script, former})
	n.add("column metadata of "+n.Events.String(), "is not "+n.Metadata,
		"column_type.sql.tmpl", column{n.script, "metadata", n.Metadata}, "change_metadata.sql.tmpl", n.script)
}

func (n *needs) indexes() {
	for _, wanted := range n.Indexes {
		query, made := "missing_index.sql.tmpl", "index_concurrently.sql.tmpl"
		if n.Partitioned() {
			query, made = "missing_partition_index.sql.tmpl", "indexes.sql.tmpl"
		}
		with := struct {
			script
			index
			Index, Table pgname.Table
		}{n.withIndexes([]index{wanted}), wanted, n.Events.Sibling(wanted.Name), n.Events}
		n.add("index "+wanted.Name+" on "+n.Events.String(), "is missing or invalid", query, with, made, with)
	}
}

func (n *needs) check() {
	if !n.Strict {
		return
	}
	object := "check " + n.KnownCheck() + " of " + n.Events.String()
	anew := strictChange{script: n.script, NotValid: true}
	n.add(object, "is missing, so that any event can be stored", "missing_check.sql.tmpl", n.script, "strict_anew.sql.tmpl", anew)
	anew.Drops = true
	n.add(object, "does not know all events of the domain", "unknown_event.sql.tmpl", n.script, "strict_anew.sql.tmpl", anew)
	n.add(object, "was not validated: what was stored before it was not looked at", "not_validated.sql.tmpl", n.script, "", nil)
}

func (n *needs) functions() {
	if functions := n.PayloadFunctions(); len(functions) > 0 {
		all := n.script
		all.Replaces = true
		n.add("function "+functions[0].String()+" and those beside it", "are missing, which views and indexes call",
			"missing_functions.sql.tmpl", n.script, "payload_functions.sql.tmpl", all)
	}
}

func (n *needs) triggers() {
	trigger := func(name, reason, made string) {
		with := struct {
			script
			Trigger string
		}{n.script, name}
		object := "trigger " + name + " of " + n.Events.String()
		n.add(object, "is missing"+reason, "missing_trigger.sql.tmpl", with, made, n.script)
		n.add(object, "is disabled"+reason, "disabled_trigger.sql.tmpl", with, "", nil)
	}
	if n.AppendOnly {
		trigger(n.AppendOnlyFunction().Name, ", so that events can be changed", "append_only.sql.tmpl")
	}
	if n.ByPosition() {
		trigger(n.EventIDOnceFunction().Name, ", so that an event can be stored twice", "event_id_once.sql.tmpl")
	}
}

func (n *needs) partitions() {
	object := "table " + n.Events.String()
	strategy := map[string]string{none: "", "hash": "h", "range": "r", "partman": "r"}[n.Partition.Layout]
	n.add(object, "is not partitioned as was asked for: "+n.Partition.Layout, "layout.sql.tmpl", struct {
		script
		Strategy string
	}{n.script, strategy}, "", nil)
	if n.Partition.Layout == "range" {
		n.add(object, "has events in its default partition", "default_partition.sql.tmpl", n.script, "", nil)
		n.add(object, "has no whole partition ahead of the log", "partitions_ahead.sql.tmpl", n.script, "", nil)
	}
}

func (n *needs) views() {
	for _, v := range n.Views {
		table := v.Table(n.Events)
		n.add("view "+table.String(), "is missing", "missing_table.sql.tmpl", table, "views.sql.tmpl", n.withViews([]view{v}))
	}
}

func (n *needs) rights() {
	for _, role := range n.Grants {
		n.add("role "+role, "lacks rights", "rights.sql.tmpl", struct {
			script
			Role string
		}{n.script, role}, "", nil)
	}
	if n.AppendOnly {
		n.add("table "+n.Events.String(), "may be changed by others than its owner", "rights_to_change.sql.tmpl", n.script, "", nil)
	}
}
