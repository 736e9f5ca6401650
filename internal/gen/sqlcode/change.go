package sqlcode

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/eventmap/eventmap/internal/pgname"
)

// A migration is SQL that runs as one, up and down.
type migration struct {
	name     string // for the file
	up, down string
	alone    bool // a single statement that must not run in a transaction
}

// migrations returns what turns a database of one design into one of another, in order; none if there is no difference.
// The error says what no migration can do.
func (f format) migrations(from, to design) ([]migration, error) {
	if to.OnSQLite() {
		return f.sqliteMigrations(from, to)
	}
	if err := checkChange(from, to); err != nil {
		return nil, err
	}
	// An index of a table that is not partitioned is built outside a transaction, after all else. What the functions that
	// it calls go with, it goes with too.
	between := to
	if !to.Partitioned() && !layoutDiffers(from, to) {
		between.asked = from.asked
		if len(to.Views) == 0 {
			between.asked = slices.DeleteFunc(slices.Clone(from.asked), func(w wanted) bool { return w.option == "" })
		}
		between.Indexes = to.indexes(between.asked)
	}
	var all []migration
	name, up, err := f.change(from, between, true)
	if err != nil {
		return nil, err
	}
	if up != "" {
		_, down, err := f.change(between, from, false)
		if err != nil {
			return nil, err
		}
		all = append(all, migration{name: name, up: up, down: down})
	}
	validation, err := f.validation(from, to)
	if err != nil {
		return nil, err
	}
	if validation != nil {
		all = append(all, *validation)
	}
	for _, index := range missing(between.Indexes, to.Indexes) {
		m, err := f.indexMigration(to, index)
		if err != nil {
			return nil, err
		}
		m.up, m.down, m.name = m.down, m.up, "drop_"+m.name
		all = append(all, m)
	}
	for _, index := range missing(to.Indexes, between.Indexes) {
		m, err := f.indexMigration(to, index)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

// indexMigration returns the migration that makes an index.
func (f format) indexMigration(d design, added index) (m migration, err error) {
	with := struct {
		index
		Table pgname.Table
	}{added, d.Events}
	m = migration{name: "index_" + added.Subject, alone: true}
	if m.up, err = render("index_concurrently.sql.tmpl", with); err != nil {
		return m, err
	}
	m.down, err = render("index_concurrently.down.sql.tmpl", with)
	return m, err
}

// checkChange returns an error for what cannot be migrated.
func checkChange(from, to design) error {
	if from.Events != to.Events && (from.Partitioned() || to.Partitioned()) {
		return fmt.Errorf("events table %s: cannot be renamed to %s, since a partitioned one keeps its name; "+
			"use the name that is recorded, or another folder for another store", from.Events, to.Events)
	}
	return nil
}

// layoutDiffers reports whether the events table has to be made anew.
func layoutDiffers(from, to design) bool {
	a, b := from.Partition, to.Partition
	if a.Layout == "range" || a.Layout == "partman" { // more or fewer partitions of the same kind
		a.Count = b.Count
	}
	a.Maintenance = b.Maintenance
	return a != b
}

// missing returns the elements of all that others do not have.
func missing[T comparable](all, others []T) []T {
	var left []T
	for _, one := range all {
		if !slices.Contains(others, one) {
			left = append(left, one)
		}
	}
	return left
}

// missingViews returns the views of all that others do not have just so.
func missingViews(all, others []view) []view {
	var left []view
	for _, one := range all {
		if !slices.ContainsFunc(others, func(other view) bool { return reflect.DeepEqual(one, other) }) {
			left = append(left, one)
		}
	}
	return left
}

// common returns the indexes of one design that another has too, and that need not be made anew between them.
func common(from, to design) []wanted {
	var both []wanted
	for _, w := range from.asked {
		remade := w.option == "" && from.Payload != to.Payload // an index on a field is on an expression of the payload
		if !remade && slices.Contains(to.Indexes, to.index(w)) {
			both = append(both, w)
		}
	}
	return both
}

// change returns the SQL that turns one design into another within a transaction, or none, and a word for what it does. If
// another migration validates a check that is new, it is not validated here.
func (f format) change(from, to design, validates bool) (name, sql string, err error) {
	var parts, names []string
	add := func(name, template string, with any) {
		part, renderErr := render(template, with)
		err = errors.Join(err, renderErr)
		parts = append(parts, part)
		names = append(names, name)
	}
	before, after := script{design: from, format: f}, script{design: to, format: f, former: from.tables}
	moved := from.tables != to.tables
	anew := layoutDiffers(from, to)
	satellites := anew || from.Events != to.Events || from.AppendOnly != to.AppendOnly
	lost, gained := missing(from.Grants, to.Grants), missing(to.Grants, from.Grants)
	if moved || anew {
		lost, gained = from.Grants, to.Grants
	}

	fewer, more := missingViews(from.Views, to.Views), missingViews(to.Views, from.Views)
	if anew || from.Events != to.Events || from.Payload != to.Payload {
		fewer, more = from.Views, to.Views
	}

	// What hangs on the tables goes first, and comes back last.
	if len(fewer) > 0 {
		add("views", "views.down.sql.tmpl", before.withViews(fewer))
	}
	if len(lost) > 0 {
		add("grants", "grants.down.sql.tmpl", before.withGrants(lost))
	}
	if from.AppendOnly && satellites {
		add("append_only", "append_only.down.sql.tmpl", before)
	}
	lostFunctions, newFunctions := len(from.Views) > 0, len(to.Views) > 0
	if lostFunctions && newFunctions && from.Payload == to.Payload {
		lostFunctions, newFunctions = false, false
	}
	kept := from.indexes(common(from, to))
	if anew && !lostFunctions {
		kept = from.Indexes // until the table goes
	}
	if dropped := missing(from.Indexes, kept); len(dropped) > 0 {
		add("index", "indexes.down.sql.tmpl", before.withIndexes(dropped))
	}
	if lostFunctions {
		add("views", "payload_functions.down.sql.tmpl", before)
	}

	if moved {
		add("names", "change_names.sql.tmpl", after.renaming(from, !lostFunctions))
	}
	if from.Payload != to.Payload {
		add("payload", "change_payload.sql.tmpl", conversion{after.onLayoutOf(from), from.Payload})
	}
	if from.Metadata != to.Metadata {
		add("metadata", "change_metadata.sql.tmpl", after.onLayoutOf(from))
	}
	switch {
	case anew:
		if from.ByPosition() {
			add("partition", "event_id_once.down.sql.tmpl", before)
		}
		if from.Partition.Layout == "partman" {
			add("partition", "partman.down.sql.tmpl", before)
		}
		add("partition", "change_layout.sql.tmpl", after.copying())
	case from.Partition.Layout == "range" && from.Partition.Count != to.Partition.Count:
		add("partitions", "change_partitions.sql.tmpl", partitionChange{
			script:            after,
			AddedPartitions:   missing(to.RangePartitions(), from.RangePartitions()),
			RemovedPartitions: missing(from.RangePartitions(), to.RangePartitions()),
		})
	case from.Partition != to.Partition:
		differs := from.Partition.Maintenance != to.Partition.Maintenance
		add("partman", "change_partman.sql.tmpl", partmanChange{
			script:            after,
			StopsCron:         differs && from.Partition.Maintenance == "pg_cron",
			StartsMaintenance: differs && to.Partition.Maintenance != none,
		})
	}

	if newFunctions {
		add("views", "payload_functions.sql.tmpl", after)
	}
	created := missing(to.Indexes, to.indexes(common(from, to)))
	if anew {
		created = to.Indexes
	}
	if len(created) > 0 {
		add("index", "indexes.sql.tmpl", after.withIndexes(created))
	}
	switch {
	case anew && to.Strict:
		add("strict", "strict.sql.tmpl", strictChange{script: after})
	case anew: // it went with the table
	case from.knownCondition() != to.knownCondition():
		add("strict", "strict.sql.tmpl", strictChange{script: after, Drops: from.Strict, NotValid: validates})
	}
	if to.AppendOnly && satellites {
		add("append_only", "append_only.sql.tmpl", after)
	}
	if len(gained) > 0 {
		add("grants", "grants.sql.tmpl", after.withGrants(gained))
	}
	if len(more) > 0 {
		add("views", "views.sql.tmpl", after.withViews(more))
	}
	if err != nil || len(parts) == 0 {
		return "", "", err
	}
	sql, err = render("change.sql.tmpl", struct{ Parts []string }{parts})
	return changeName(names), sql, err
}

// changeName returns what a migration is called after the names of its parts: the one that all have, or "change".
func changeName(names []string) string {
	if slices.ContainsFunc(names, func(name string) bool { return name != names[0] }) {
		return "change"
	}
	return names[0]
}

// The scripts of changes are those of the design that comes, with what the change is.
type (
	conversion struct {
		script
		from string // type of the payload
	}
	partitionChange struct {
		script
		AddedPartitions, RemovedPartitions []rangePartition
	}
	partmanChange struct {
		script
		StopsCron, StartsMaintenance bool
	}
	layoutChange struct {
		script
		Before    string       // a schema, for the length of the migration
		OldEvents pgname.Table // there
		Last      int64        // first position that the partitions have no room for; 0: there is none
	}
	nameChange struct {
		script
		NewSchemas []string
		Renames    []rename
	}
)

func (s script) withGrants(roles []string) script {
	s.Grants = roles
	return s
}

func (s script) withViews(views []view) script {
	s.Views = views
	return s
}

func (s script) withIndexes(indexes []index) script {
	s.Indexes = indexes
	return s
}

// onLayoutOf returns the script for a table that is still partitioned as in d.
func (s script) onLayoutOf(d design) script {
	s.Partition = d.Partition
	return s
}

// PayloadConversion returns the expression that turns a payload of the former type into the new one.
func (c conversion) PayloadConversion() string {
	switch {
	case c.from == "bytea":
		return "nullif(convert_from(payload, 'UTF8'), '')::" + c.Payload
	case c.KeepsBytes():
		return "convert_to(coalesce(payload::text, ''), 'UTF8')"
	}
	return "payload::" + c.Payload
}

// copying returns the script that makes the events table anew.
func (s script) copying() layoutChange {
	before := s.Events.Derived("before").Name
	c := layoutChange{script: s, Before: before, OldEvents: pgname.Table{Schema: before, Name: s.Events.Name}}
	if s.ByPosition() {
		c.Last = int64(s.Partition.Count) * s.Partition.Size
	}
	return c
}

// A rename is a table that gets another name or another schema, with what is named after it.
type rename struct {
	From, To                        pgname.Table
	Sequences, Constraints, Indexes []pair
	Functions                       []functionPair
}

type pair struct{ Old, New string }

// A functionPair is a function that gets another name.
type functionPair struct {
	function
	New string
}

// Moved returns the function where it goes to, by its former name.
func (p functionPair) Moved(to pgname.Table) function { return function{to.Sibling(p.Name), p.Args} }

// Moves reports whether the table goes to another schema.
func (r rename) Moves() bool { return r.From.Schema != r.To.Schema }

// Moved returns the table where it goes to, by its former name.
func (r rename) Moved() pgname.Table { return r.To.Sibling(r.From.Name) }

// renaming returns the script that gives the tables their names, which were those of another design, and the functions too
// if they are kept.
func (s script) renaming(from design, functions bool) nameChange {
	c := nameChange{script: s, NewSchemas: missing(s.Schemas(), from.Schemas())}
	add := func(old, new pgname.Table, constraints, indexes []string) *rename {
		if old == new {
			return nil
		}
		r := rename{From: old, To: new}
		if old.Name != new.Name {
			derived := func(suffixes []string) (pairs []pair) {
				for _, suffix := range suffixes {
					pairs = append(pairs, pair{old.Derived(suffix).Name, new.Derived(suffix).Name})
				}
				return pairs
			}
			r.Constraints, r.Indexes = derived(constraints), derived(indexes)
		}
		c.Renames = append(c.Renames, r)
		return &c.Renames[len(c.Renames)-1]
	}
	constraints := []string{"pkey", "stream_version_key", "event_id_key", "aggregate_version_check", "event_version_check"}
	if from.Strict {
		constraints = append(constraints, "known_check")
	}
	events := add(from.Events, s.Events, constraints, nil)
	if events != nil && from.Events.Name != s.Events.Name {
		events.Sequences = []pair{{from.Events.Sequence().Name, s.Events.Sequence().Name}}
		for _, w := range common(from, s.design) {
			events.Indexes = append(events.Indexes, pair{from.index(w).Name, s.index(w).Name})
		}
	}
	if events != nil && functions {
		kept := s.PayloadFunctions()
		for i, f := range from.PayloadFunctions() {
			events.Functions = append(events.Functions, functionPair{f, kept[i].Name})
		}
	}
	add(from.Heads, s.Heads, []string{"pkey", "aggregate_version_check"}, nil)
	add(from.Checkpoints, s.Checkpoints, []string{"pkey", "segment_check", "position_check"}, nil)
	add(from.Parked, s.Parked, []string{"pkey", "attempts_check"}, []string{"aggregate_id_idx"})
	return c
}
