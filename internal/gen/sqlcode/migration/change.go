package migration

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/pgname"
)

// A change leads from one design to another within a transaction.
type change struct {
	from, to      design.Design
	before, after design.Script
	anew          bool // the events table is made anew, and the log copied
	validated     bool // another migration validates a check that is new
}

func (f format) change(from, to design.Design, validated bool) change {
	c := change{from: from, to: to, before: f.script(from), after: f.script(to), anew: layoutDiffers(from, to) || logsDiffer(from, to), validated: validated}
	c.after.Former = from.Tables
	return c
}

// attachments are what hangs on the tables, in the order in which it is created. It is dropped in the reverse order before
// the tables are altered, and created after that. What fills the templates in is nil if there is nothing to drop or create.
var attachments = []struct {
	name         string // of a migration that does nothing else
	drop, create string
	differ       func(change) (lost, gained any)
}{
	{"snapshots", "snapshots.down.sql.tmpl", "snapshots.sql.tmpl", change.snapshots},
	{"subject_keys", "subject_keys.down.sql.tmpl", "subject_keys.sql.tmpl", change.subjectKeys},
	{"views", "payload_functions.down.sql.tmpl", "payload_functions.sql.tmpl", change.functions},
	{"index", "indexes.down.sql.tmpl", "indexes.sql.tmpl", change.indexes},
	{"strict", "strict.down.sql.tmpl", "strict.sql.tmpl", change.knownCheck},
	{"append_only", "append_only.down.sql.tmpl", "append_only.sql.tmpl", change.appendOnly},
	{"citus", "citus.down.sql.tmpl", "citus.sql.tmpl", change.citus},
	{"grants", "grants.down.sql.tmpl", "grants.sql.tmpl", change.grants},
	{"rls", "tenant_rls.down.sql.tmpl", "tenant_rls.sql.tmpl", change.tenantRLS},
	{"grants", "grants_forget.down.sql.tmpl", "grants_forget.sql.tmpl", change.forgetGrants},
	{"views", "views.down.sql.tmpl", "views.sql.tmpl", change.views},
	{"comments", "", "view_comments.sql.tmpl", change.comments},
}

// alterations are what is done to the tables, in order.
var alterations = []struct {
	name, template string
	with           func(change) any // nil: there is nothing to do
}{
	{"names", "change_names.sql.tmpl", change.names},
	{"payload", "change_payload.sql.tmpl", change.payload},
	{"metadata", "change_metadata.sql.tmpl", change.metadata},
	{"partition", "event_id_once.down.sql.tmpl", func(c change) any { return when(c.anew && c.from.ByPosition(), c.before) }},
	{"partition", "partman.down.sql.tmpl", func(c change) any { return when(c.anew && c.from.Partition.Layout == "partman", c.before) }},
	{"partition", "change_layout.sql.tmpl", change.layout},
	{"logs", "change_logs.sql.tmpl", change.manyLogs},
	{"logs", "change_one_log.sql.tmpl", change.oneLog},
	{"partitions", "change_partitions.sql.tmpl", change.partitions},
	{"partman", "change_partman.sql.tmpl", change.partman},
}

// sql returns the SQL of the change, or none, and a word for what it does.
func (c change) sql() (name, sql string, err error) {
	var parts, names []string
	add := func(name, template string, with any) {
		if with == nil || err != nil {
			return
		}
		var part string
		part, err = c.to.Dialect.Render(template, with)
		parts, names = append(parts, part), append(names, name)
	}
	for _, a := range slices.Backward(attachments) {
		lost, _ := a.differ(c)
		add(a.name, a.drop, lost)
	}
	for _, a := range alterations {
		add(a.name, a.template, a.with(c))
	}
	for _, a := range attachments {
		_, gained := a.differ(c)
		add(a.name, a.create, gained)
	}
	if err != nil || len(parts) == 0 {
		return "", "", err
	}
	name = names[0]
	if slices.ContainsFunc(names, func(other string) bool { return other != name }) {
		name = "change"
	}
	sql, err = c.to.Dialect.Render("change.sql.tmpl", struct{ Parts []string }{parts})
	return name, sql, err
}

// when returns what fills a template in, or nil if that is not needed.
func when(needed bool, with any) any {
	if needed {
		return with
	}
	return nil
}

// layoutDiffers reports whether the events table has to be made anew.
func layoutDiffers(from, to design.Design) bool {
	a, b := from.Partition, to.Partition
	if from.ByPosition() { // more or fewer partitions of the same kind
		a.Count = b.Count
	}
	a.Maintenance = b.Maintenance
	return a != b
}

// missing returns the elements of all that others do not have.
func missing[T any](all, others []T) []T {
	return slices.DeleteFunc(slices.Clone(all), func(one T) bool {
		return slices.ContainsFunc(others, func(other T) bool { return reflect.DeepEqual(one, other) })
	})
}

// renamesLog reports whether the events table gets another name or schema.
func (c change) renamesLog() bool { return c.from.Events != c.to.Events }

// keepsFunctions reports whether the functions by which payloads are read are those of both designs, but for their names.
func (c change) keepsFunctions() bool {
	return len(c.from.Views) > 0 && len(c.to.Views) > 0 && c.from.Payload == c.to.Payload
}

func (c change) functions() (lost, gained any) {
	differ := !c.keepsFunctions()
	return when(differ && c.from.PayloadFunctions() != nil, c.before), when(differ && c.to.PayloadFunctions() != nil, c.after)
}

func (c change) snapshots() (lost, gained any) {
	return when(c.from.HasSnapshots() && !c.to.HasSnapshots(), c.before), when(!c.from.HasSnapshots() && c.to.HasSnapshots(), c.after)
}

func (c change) subjectKeys() (lost, gained any) {
	return when(c.from.HasSubjectKeys() && !c.to.HasSubjectKeys(), c.before), when(!c.from.HasSubjectKeys() && c.to.HasSubjectKeys(), c.after)
}

func (c change) indexes() (lost, gained any) {
	requests := c.from.KeptIndexes(c.to)
	dropped, created := missing(c.from.Indexes, c.from.IndexesOf(requests)), missing(c.to.Indexes, c.to.IndexesOf(requests))
	if c.anew {
		if functions, _ := c.functions(); functions == nil {
			dropped = nil // they go with the table
		}
		created = c.to.Indexes
	}
	return when(len(dropped) > 0, c.before.WithIndexes(dropped)), when(len(created) > 0, c.after.WithIndexes(created))
}

// knownCheck adds the check anew only if stored events have to be looked at. A check that knows more than the former one
// needs nothing but its function.
func (c change) knownCheck() (lost, gained any) {
	check := design.StrictChange{Script: c.after}
	switch {
	case !c.to.Strict:
		return when(c.from.Strict, c.before), nil
	case c.anew: // the former one went with the table
		check.Adds = true
	case c.from.KnownCondition() == c.to.KnownCondition():
		return nil, nil
	default:
		check.Adds = c.looksAtStored()
		check.Drops, check.NotValid = c.from.Strict, c.validated
	}
	return nil, check
}

// looksAtStored reports whether an event may be stored that the check of the new design does not know.
func (c change) looksAtStored() bool {
	return c.to.Strict && !c.anew && c.from.KnownCondition() != c.to.KnownCondition() &&
		(!c.from.Strict || c.from.KnownInline || !c.to.KnowsAll(c.from))
}

// tenantRLS is taken away and given back with a table of snapshots that comes, so that none is without.
func (c change) tenantRLS() (lost, gained any) {
	differs := c.from.Logs.RLS != c.to.Logs.RLS || c.from.HasSnapshots() != c.to.HasSnapshots()
	return when(differs && c.from.Logs.RLS, c.before), when(differs && c.to.Logs.RLS, c.after)
}

// citus distributes what is not distributed, or takes it back.
func (c change) citus() (lost, gained any) {
	former, current := c.from.Logs.Citus, c.to.Logs.Citus
	switch {
	case former && !current:
		return c.before.AllDistributed(), nil
	case !former && current:
		return nil, c.after.AllDistributed()
	case !current:
		return nil, nil
	}
	tables, known := missing(c.to.Distributed(), c.from.Distributed()), missing(c.to.OnCoordinator(), c.from.OnCoordinator())
	return nil, when(len(tables)+len(known) > 0, design.Distribution{Script: c.after, Tables: tables, Known: known})
}

func (c change) appendOnly() (lost, gained any) {
	differs := c.anew || c.renamesLog() || c.from.AppendOnly != c.to.AppendOnly
	return when(differs && c.from.AppendOnly, c.before), when(differs && c.to.AppendOnly, c.after)
}

func (c change) grants() (lost, gained any) {
	revoked, granted := missing(c.from.Grants, c.to.Grants), missing(c.to.Grants, c.from.Grants)
	if c.anew || c.from.Tables != c.to.Tables {
		revoked, granted = c.from.Grants, c.to.Grants
	}
	return when(len(revoked) > 0, c.before.WithGrants(revoked)), when(len(granted) > 0, c.after.WithGrants(granted))
}

func (c change) forgetGrants() (lost, gained any) {
	revoked, granted := missing(c.from.ForgetGrants, c.to.ForgetGrants), missing(c.to.ForgetGrants, c.from.ForgetGrants)
	if c.from.Tables != c.to.Tables {
		revoked, granted = c.from.ForgetGrants, c.to.ForgetGrants
	}
	return when(len(revoked) > 0, c.before.WithForgetGrants(revoked)), when(len(granted) > 0, c.after.WithForgetGrants(granted))
}

func (c change) views() (lost, gained any) {
	dropped, created := c.from.ViewsBeside(c.to), c.to.ViewsBeside(c.from)
	if c.remakesViews() {
		dropped, created = c.from.Views, c.to.Views
	}
	return when(len(dropped) > 0, c.before.WithViews(dropped)), when(len(created) > 0, c.after.WithViews(created))
}

// remakesViews reports whether every view has to be made anew.
func (c change) remakesViews() bool {
	return c.anew || c.renamesLog() || c.from.Payload != c.to.Payload
}

// comments gives views that stay the comments that they have now.
func (c change) comments() (lost, gained any) {
	commented := c.to.ViewsCommented(c.from)
	return nil, when(len(commented) > 0 && !c.remakesViews(), c.after.WithViews(commented))
}

// onFormerLayout returns the script of a table that is still partitioned as it was.
func (c change) onFormerLayout() design.Script {
	s := c.after
	s.Partition = c.from.Partition
	return s
}

func (c change) payload() any {
	return when(c.from.Payload != c.to.Payload, design.Conversion{Script: c.onFormerLayout(), From: c.from.Payload})
}

func (c change) metadata() any { return when(c.from.Metadata != c.to.Metadata, c.onFormerLayout()) }

func (c change) layout() any {
	with := struct {
		logMove
		OldEvents pgname.Table
		Last      int64 // first position that the partitions have no room for; 0: there is none
	}{logMove: c.moving(c.to.Events)}
	with.OldEvents = with.Old().Events
	if c.to.ByPosition() {
		with.Last = int64(c.to.Partition.Count) * c.to.Partition.Size
	}
	return when(c.anew && !logsDiffer(c.from, c.to), with)
}

func (c change) partitions() any {
	differ := !c.anew && c.from.Partition.Layout == "range" && c.from.Partition.Count != c.to.Partition.Count
	return when(differ, struct {
		design.Script
		AddedPartitions, RemovedPartitions []design.RangePartition
	}{
		Script:            c.after,
		AddedPartitions:   missing(c.to.RangePartitions(), c.from.RangePartitions()),
		RemovedPartitions: missing(c.from.RangePartitions(), c.to.RangePartitions()),
	})
}

func (c change) partman() any {
	former, current := c.from.Partition, c.to.Partition
	differs := former.Maintenance != current.Maintenance
	return when(!c.anew && current.Layout == "partman" && former != current, struct {
		design.Script
		StopsCron, StartsMaintenance bool
	}{c.after, differs && former.Maintenance == "pg_cron", differs && current.Maintenance != design.Maintenances[0]})
}

// renames reports whether a distributed table that stays gets another name.
func renames(from, to design.Tables) bool {
	return from.EventLogs != to.EventLogs || from.Events != to.Events || from.Heads != to.Heads || from.Checkpoints != to.Checkpoints ||
		from.HasSnapshots() && to.HasSnapshots() && from.Snapshots != to.Snapshots
}

// checkChange returns an error for what cannot be migrated.
func checkChange(from, to design.Design) error {
	if err := to.CheckLogs(from); err != nil && !from.Logs.Moved && !to.Logs.Moved {
		return fmt.Errorf("%w; --from %s moves one log into many", err, oneLogSource)
	}
	if from.Logs.Citus && to.Logs.Citus && (renames(from.Tables, to.Tables) || from.Payload != to.Payload || from.Metadata != to.Metadata) {
		return errors.New("citus: distributed tables keep their names and the types of their columns, since Citus renames no constraint and takes no " +
			"alter table among other statements; say --citus=false, change them, and say --citus, in three runs")
	}
	if from.Events != to.Events && (from.Partitioned() || to.Partitioned()) {
		return fmt.Errorf("events table %s: cannot be renamed to %s, since a partitioned one keeps its name; "+
			"use the name that is recorded, or another folder for another store", from.Events, to.Events)
	}
	return nil
}
