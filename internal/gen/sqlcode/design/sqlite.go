package design

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/eventmap/eventmap/internal/sqlitename"
	"github.com/eventmap/eventmap/templates"
)

var sqlite = Dialect{
	Name:          "sqlite",
	payloads:      enum{values: []string{""}},
	metadata:      enum{values: []string{""}},
	layouts:       enum{values: []string{""}},
	spreads:       enum{values: []string{""}},
	parseTable:    sqlitename.ParseTable,
	sameName:      sqlitename.Same,
	supported:     sqliteOptions,
	expression:    sqliteExpression,
	payloadReader: func(Design) []Function { return nil },
	templates:     parsed(templates.SQLite, "sqlite/*.sql.tmpl"),
	files:         templates.SQLite,
}

// sqliteOptions returns the options that mean something there, and an error for each of the others, with the reason.
func sqliteOptions(o Options) (Options, error) {
	var problems []error
	for _, option := range []struct {
		name   string
		given  bool
		reason string
	}{
		{"schema", o.Schema != "", "it has none; a database is a file"},
		{"aggregate-heads-table", o.AggregateHeadsTable != "", "its log itself tells the version of a stream"},
		{"payload", cmp.Or(o.Payload, PayloadTypes[0]) != PayloadTypes[0], "its payload column is a blob, which keeps any bytes"},
		{"metadata", cmp.Or(o.Metadata, MetadataTypes[0]) != MetadataTypes[0], "its metadata column is text, which keeps JSON as it is written"},
		{"strict", o.Strict, "the checks of its tables are fixed when they are made"},
		{"grant", len(o.Grants) > 0, "it has no roles; the rights are those on the file"},
		{"grant-forget", len(o.ForgetGrants) > 0, "it has no roles; the rights are those on the file"},
		{"partition", cmp.Or(o.Partition, none) != none, "it has no partitions"},
		{"logs", cmp.Or(o.Logs, none) != none, "its one writer at a time makes one log; a file for each tenant is what it has instead"},
		{"citus", o.Citus, "it is a file"},
		{"partition-size", o.PartitionSize != 0, "it has no partitions"},
		{"partitions", o.Partitions != 0, "it has no partitions"},
		{"partman-schema", o.PartmanSchema != "", "it has no partitions"},
		{"partman-maintenance", cmp.Or(o.PartmanMaintenance, none) != none, "it has no partitions"},
	} {
		if option.given {
			problems = append(problems, fmt.Errorf("--%s: is not available for sqlite: %s", option.name, option.reason))
		}
	}
	return Options{
		Dialect:          o.Dialect,
		EventsTable:      o.EventsTable,
		CheckpointsTable: o.CheckpointsTable, ParkedEventsTable: o.ParkedEventsTable,
		Snapshots: o.Snapshots, SnapshotsTable: o.SnapshotsTable,
		SubjectKeys: o.SubjectKeys, SubjectKeysTable: o.SubjectKeysTable,
		Indexes:    o.Indexes,
		AppendOnly: o.AppendOnly,
		Domain:     o.Domain,
	}, errors.Join(problems...)
}

// sqliteExpression returns the SQL that reads a column from the payload. What SQLite has no type for stays as it is in JSON:
// times, UUIDs and base64 are text, objects and arrays are JSON, and so are numbers that its integers cannot hold.
func sqliteExpression(d Design, c Column) string {
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

// PayloadText returns the SQL expression of a payload as JSON on SQLite. It is null where there is none: one odd payload
// must not keep others from being read.
func (d Design) PayloadText() string {
	return "case when json_valid(cast(payload as text)) then cast(payload as text) end"
}

// AppendOnlyOperations returns what the triggers on an append-only log of SQLite refuse.
func (d Design) AppendOnlyOperations() []string { return []string{"update", "delete"} }

// AppendOnlyTrigger returns the name of the trigger of SQLite that refuses an operation on the log.
func (d Design) AppendOnlyTrigger(operation string) string {
	return d.Events.Derived("append_only_" + operation).Name
}
