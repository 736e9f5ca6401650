// Package design decides what the tables of an event store are like: every name checked, every default filled in. A Design
// is derived from Options once; migrations and the doctor start from it.
package design

import (
	"errors"
	"fmt"
	"slices"

	"github.com/eventmap/eventmap/internal/model"
	"github.com/eventmap/eventmap/internal/pgname"
)

// Options say what the schema looks like. The zero value is the standard schema.
//
// A table is "name" or "schema.name", by the rules of pgname.ParseTable.
type Options struct {
	// Dialect is the database, one of Dialects. Empty: the first of them, PostgreSQL. For SQLite the options that mean
	// nothing there are refused.
	Dialect string
	// Schema holds the tables whose names below give none. Empty: they are created, and later found, by the search_path
	// of the connection.
	Schema string
	// EventsTable is the event log. Empty: pgname.EventsTable.
	EventsTable string
	// The other tables. Empty: the name of the same constant of pgname, beside the events table, whatever schema that
	// is in; this is where the runtime looks when it is told of the events table only.
	AggregateHeadsTable string
	SnapshotsTable      string
	SubjectKeysTable    string
	CheckpointsTable    string
	ParkedEventsTable   string
	// Snapshots has the table of snapshots made, also where no aggregate of the domain has the mark. So does its name.
	Snapshots bool
	// SubjectKeys is where the keys of personal data are, one of KeyPlaces. Empty: here if their table has a name or the domain
	// has personal data, else none.
	SubjectKeys string
	// Payload is the type of the payload column, one of PayloadTypes. Empty: the first, bytea. A store has to be told of
	// another one.
	Payload string
	// Metadata is the type of the metadata column, one of MetadataTypes. Empty: the first, json.
	Metadata string
	// Indexes are further indexes on the events table, of IndexNames. Each costs every append.
	Indexes []string
	// AppendOnly has the database refuse to change or remove events.
	AppendOnly bool
	// Partition is how the events table is partitioned, one of Layouts. Empty: the first, not at all.
	Partition string
	// PartitionSize is how many positions a partition by range holds. Zero: DefaultPartitionSize.
	PartitionSize int64
	// Partitions is how many partitions there are by hash, or are made ahead of the log by range. Zero:
	// DefaultPartitions.
	Partitions int
	// PartmanSchema is the schema of the extension pg_partman, for that layout. Empty: DefaultPartmanSchema.
	PartmanSchema string
	// PartmanMaintenance is what has pg_partman make the next partitions, one of Maintenances. Empty: the first, nothing
	// that is arranged here.
	PartmanMaintenance string
	// Logs is how events are spread over logs, one of Spreads. Empty: the first, one log.
	Logs string
	// HashedLogs is how many logs there are by hash. Zero: DefaultHashedLogs.
	HashedLogs int
	// EventLogsTable counts the positions of logs, if there are many, and is named as the other tables are.
	EventLogsTable string
	// TenantRLS has the database show a session only the log that it has set.
	TenantRLS bool
	// Citus has many logs distributed over the nodes of a Citus cluster.
	Citus bool
	// Domain has a view made for each version of each of its events. Nil: none.
	Domain *model.Domain
	// Strict has the database refuse events that are not of the domain.
	Strict bool
	// Grants are roles that may do what an application does, by the rules of pgname.CheckRole.
	Grants []string
	// ForgetGrants are roles that may erase keys of personal data.
	ForgetGrants []string
}

// Design checks the options, each by itself and then together. The error holds all problems.
func (o Options) Design() (Design, error) {
	views, err := viewsOf(o.Domain, o.Logs != "" && o.Logs != none)
	return o.design(views, err)
}

// Recorded is Design with views that were recorded, instead of a domain, and the events that the domain had once.
func (o Options) Recorded(views []View, retired []EventVersion) (Design, error) {
	d, err := o.design(views, nil)
	d.Retired = retired
	return d, err
}

func (o Options) design(views []View, viewsErr error) (Design, error) {
	dialect, err := dialect(o.Dialect)
	if err != nil {
		return Design{}, err
	}
	d := Design{Dialect: dialect, Version: pgname.SchemaVersion, AppendOnly: o.AppendOnly, Strict: o.Strict, Views: views}
	o, unsupported := dialect.supported(o)
	var names, keys, payload, metadata, indexes, grants, forget, layout, spread, strict error
	d.SubjectKeysPlace, keys = o.keyPlace()
	d.Tables, names = o.tables(dialect, d.SubjectKeysPlace)
	d.Payload, payload = dialect.payloads.find(o.Payload)
	d.Metadata, metadata = dialect.metadata.find(o.Metadata)
	var options []string
	options, indexes = indexNames.findAll(o.Indexes)
	d.Grants, grants = roles(o.Grants)
	d.ForgetGrants, forget = roles(o.ForgetGrants)
	if forget == nil && len(d.ForgetGrants) > 0 && keys == nil && !d.HasSubjectKeys() {
		forget = errors.New("grant forget: there is no table of keys here; see --subject-keys")
	}
	d.Partition, layout = o.partition(dialect)
	d.Logs, spread = o.logs(dialect)
	spread = errors.Join(spread, o.citus(d.Logs))
	if o.Strict && len(views) == 0 && viewsErr == nil {
		strict = errors.New("strict: there is no domain that says which events are known; name it by --domain")
	}
	d.asked = requests(options, views)
	d.Indexes = d.IndexesOf(d.asked)
	if names == nil && layout == nil && viewsErr == nil {
		names = d.checkDistinct()
	}
	return d, errors.Join(unsupported, names, keys, payload, metadata, indexes, grants, forget, layout, spread, viewsErr, strict)
}

// keyPlace returns where the keys of personal data are.
func (o Options) keyPlace() (string, error) {
	if o.SubjectKeys == "" && (o.SubjectKeysTable != "" || o.Domain != nil && o.Domain.HasPersonal()) {
		return here, nil
	}
	return keyPlaces.find(o.SubjectKeys)
}

// hasSnapshots reports whether an aggregate of the domain has the mark.
func hasSnapshots(d *model.Domain) bool {
	return d != nil && slices.ContainsFunc(d.Aggregates, func(a model.Aggregate) bool { return a.State != nil && a.State.Snapshots != nil })
}

// tables checks the names, each by itself, and returns them with their schemas. The error holds all problems.
func (o Options) tables(dialect *Dialect, keyPlace string) (Tables, error) {
	var problems []error
	note := func(err error) {
		if err != nil {
			problems = append(problems, err)
		}
	}
	if o.Schema != "" {
		note(pgname.CheckSchema(o.Schema))
	}
	table := func(what, name string, otherwise pgname.Table) pgname.Table {
		if name == "" {
			return otherwise
		}
		parsed, err := dialect.parseTable(name)
		if err != nil {
			note(fmt.Errorf("%s %w", what, err))
		}
		return parsed.In(o.Schema)
	}
	t := Tables{Events: table("events", o.EventsTable, pgname.Table{Name: pgname.EventsTable}.In(o.Schema))}
	if dialect.hasHeads {
		t.Heads = table("aggregate heads", o.AggregateHeadsTable, t.Events.Sibling(pgname.AggregateHeadsTable))
	}
	if keyPlace != only && (o.Snapshots || o.SnapshotsTable != "" || hasSnapshots(o.Domain)) {
		t.Snapshots = table("snapshots", o.SnapshotsTable, t.Events.Sibling(pgname.SnapshotsTable))
	}
	if keyPlace == here || keyPlace == only {
		t.SubjectKeys = table("subject keys", o.SubjectKeysTable, t.Events.Sibling(pgname.SubjectKeysTable))
	}
	if o.Logs != "" && o.Logs != none {
		t.EventLogs = table("event logs", o.EventLogsTable, t.Events.Sibling(pgname.EventLogsTable))
	}
	t.Checkpoints = table("checkpoints", o.CheckpointsTable, t.Events.Sibling(pgname.CheckpointsTable))
	t.Parked = table("parked events", o.ParkedEventsTable, t.Events.Sibling(pgname.ParkedEventsTable))
	return t, errors.Join(problems...)
}
