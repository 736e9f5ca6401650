package migration

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/eventmap/eventmap/internal/gen"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/pgname"
)

// fromTable is the source that is a table or a view of any shape, whose columns the options name.
const fromTable = "table"

// The columns that a table of events has, and those that it may have, as Options.FromColumns names them.
var (
	requiredColumns = []string{"stream", "version", "type", "payload", "time"}
	optionalColumns = append(fullColumns, "metadata", "trace-id", "correlation-id", "causation-id")
	// fullColumns may be missing, but have no null in them where they are there.
	fullColumns = []string{"aggregate", "position", "event-id", "event-version"}
)

// Encodings are the values of Options.FromEncoding: the payload is what the column holds, or that in base64 or in hexadecimal digits.
var Encodings = []string{"none", "base64", "hex"}

// A tableSource is a hand-written table of events, which is copied and stays as it is.
type tableSource struct {
	Events       pgname.Table
	Aggregate    string // the aggregate type of all events; empty: a column or the stream says it
	Separator    string // parts the aggregate type from the ID in the stream; empty: the stream is the ID
	FirstVersion int64
	Encoding     string

	columns map[string]string
}

// findTable checks what the options say about the table to move from. The error holds all problems.
func findTable(o Options) (*tableSource, error) {
	t := tableSource{
		Aggregate: o.FromAggregate, Separator: o.FromSeparator, FirstVersion: o.FromFirstVersion,
		Encoding: cmp.Or(o.FromEncoding, Encodings[0]), columns: map[string]string{},
	}
	var problems []error
	problem := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if o.FromEventsTable == "" {
		problem("table to move from: has no name; give it with --from-events-table")
	} else if parsed, err := pgname.ParseTable(o.FromEventsTable); err != nil {
		problem("events to move from: %w", err)
	} else {
		t.Events = parsed
	}
	if o.FromHeadsTable != "" || o.FromCheckpointsTable != "" {
		problem("table to move from: versions are read from the events, and consumers begin anew; --from-heads-table and --from-checkpoints-table are for eventsalsa")
	}
	for _, pair := range o.FromColumns {
		key, column, ok := strings.Cut(pair, "=")
		switch {
		case !ok || !slices.Contains(requiredColumns, key) && !slices.Contains(optionalColumns, key):
			problem("column to move from %q: write KEY=COLUMN with a key of %s, or of %s, which may be missing", pair,
				strings.Join(requiredColumns, ", "), strings.Join(optionalColumns, ", "))
		case t.columns[key] != "":
			problem("column to move from %q: there are two for %s", pair, key)
		case column == "" || len(column) > pgname.MaxBytes || !utf8.ValidString(column) || strings.ContainsRune(column, 0):
			problem("column to move from %q: a column's name has 1 to %d bytes of UTF-8 and no NUL", pair, pgname.MaxBytes)
		default:
			t.columns[key] = column
		}
	}
	var missing []string
	for _, key := range requiredColumns {
		if !slices.ContainsFunc(o.FromColumns, func(pair string) bool { return strings.HasPrefix(pair, key+"=") }) {
			missing = append(missing, key+"=COLUMN")
		}
	}
	if missing != nil {
		problem("table to move from: --from-columns lacks %s; for what has no column of its own, name a view", strings.Join(missing, ","))
	}
	ways := 0
	for _, given := range []bool{t.columns["aggregate"] != "", t.Aggregate != "", t.Separator != ""} {
		if given {
			ways++
		}
	}
	if ways != 1 {
		problem("table to move from: the aggregate type comes from a column (--from-columns aggregate=COLUMN), is the same for all events " +
			"(--from-aggregate NAME), or begins the stream (--from-separator SIGN); say one of them")
	}
	for flag, text := range map[string]string{"--from-aggregate": t.Aggregate, "--from-separator": t.Separator} {
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			problem("%s %q: is no text that PostgreSQL keeps", flag, text)
		}
	}
	if t.FirstVersion < 0 {
		problem("first version %d: is negative", t.FirstVersion)
	}
	if !slices.Contains(Encodings, t.Encoding) {
		problem("encoding of the payload %q: is not known; choose one of %s", t.Encoding, strings.Join(Encodings, ", "))
	}
	return &t, errors.Join(problems...)
}

// check returns an error if the table could be one of those that it is moved into.
func (t tableSource) check(to design.Design) error {
	return design.Postgres.Distinct([]design.Relation{
		{Name: to.Events, What: "the events table"}, {Name: to.Heads, What: "the heads table"},
		{Name: to.Checkpoints, What: "the checkpoints table"}, {Name: to.Parked, What: "the parked events table"},
		{Name: t.Events, What: "the table to move from"},
	})
}

// Has reports whether the table has a column.
func (t tableSource) Has(key string) bool { return t.columns[key] != "" }

// Column returns the name of a column.
func (t tableSource) Column(key string) string { return t.columns[key] }

// Columns returns the names of all columns, sorted by their keys.
func (t tableSource) Columns() []string {
	var all []string
	for _, key := range slices.Concat(requiredColumns, optionalColumns) {
		if t.Has(key) {
			all = append(all, t.columns[key])
		}
	}
	return all
}

// Of returns a column for SQL that calls the table s.
func (t tableSource) Of(key string) string { return "s." + pgname.Quote(t.columns[key]) }

// StreamKey returns the columns that name a stream, and with the version an event.
func (t tableSource) StreamKey() []string {
	key := []string{"stream"}
	if t.Has("aggregate") {
		key = []string{"aggregate", "stream"}
	}
	return key
}

// hold reports whether a text is in what the table is told by.
func (t tableSource) hold(text string) bool {
	return strings.Contains(strings.Join(append(t.Columns(), t.Events.Quoted(), t.Aggregate, t.Separator), "\n"), text)
}

// A tableMove is the script that copies a table into a design.
type tableMove struct {
	design.Script
	From    tableSource
	Knows   []design.KnownAggregate // the events of the domain
	Refuses bool                    // others are an error, and not a warning
}

// Quote returns the mark of a block, which nothing in it holds.
func (m tableMove) Quote() string {
	mark := m.Script.Quote()
	for m.holds(mark) {
		mark = "$_" + mark[1:]
	}
	return mark
}

func (m tableMove) holds(text string) bool {
	return m.From.hold(text) || slices.ContainsFunc(m.Knows, func(a design.KnownAggregate) bool {
		return strings.Contains(a.Name, text) || slices.ContainsFunc(a.Events, func(e design.EventVersion) bool { return strings.Contains(e.Event, text) })
	})
}

// View returns the view that shows the table as our log, for as long as the move takes.
func (m tableMove) View() pgname.Table { return m.Events.Derived("moved") }

// Order returns the table that gives positions to events that have none.
func (m tableMove) Order() pgname.Table { return m.Events.Derived("moved_order") }

// FromBytes returns the payload of a column of bytes.
func (m tableMove) FromBytes() string {
	column := m.From.Of("payload")
	if m.From.Encoding != Encodings[0] {
		column = "decode(convert_from(" + column + ", 'UTF8'), '" + m.From.Encoding + "')"
	}
	if m.KeepsBytes() {
		return column
	}
	return "convert_from(" + column + ", 'UTF8')::" + m.Payload
}

// FromText returns the payload of a column of text, or of JSON.
func (m tableMove) FromText() string {
	column := m.From.Of("payload") + "::text"
	switch {
	case m.From.Encoding != Encodings[0] && m.KeepsBytes():
		return "decode(" + column + ", '" + m.From.Encoding + "')"
	case m.From.Encoding != Encodings[0]:
		return "convert_from(decode(" + column + ", '" + m.From.Encoding + "'), 'UTF8')::" + m.Payload
	case m.KeepsBytes():
		return "convert_to(" + column + ", 'UTF8')"
	}
	return "(" + column + ")::" + m.Payload
}

// withoutRest returns a design with the same tables and nothing that slows down or refuses a copy.
func withoutRest(to design.Design) (design.Design, error) {
	o := design.Options{
		EventsTable: to.Events.String(), AggregateHeadsTable: to.Heads.String(), CheckpointsTable: to.Checkpoints.String(),
		ParkedEventsTable: to.Parked.String(), Payload: to.Payload, Metadata: to.Metadata,
		Partition: to.Partition.Layout, PartitionSize: to.Partition.Size, Partitions: to.Partition.Count,
		PartmanSchema: to.Partition.PartmanSchema, PartmanMaintenance: to.Partition.Maintenance,
	}
	if to.HasSnapshots() {
		o.SnapshotsTable, o.Snapshots = to.Snapshots.String(), true
	}
	d, err := o.Design()
	d.Version = to.Version
	return d, err
}

// copies returns the migrations that copy the table, in order.
func (f format) copies(from tableSource, arrival, to design.Design) ([]migration, error) {
	s := f.script(arrival)
	m := tableMove{Script: s, From: from, Knows: to.Known(), Refuses: to.Strict}
	steps := []struct {
		name, template string
		alone          bool
		with           any
	}{
		{"source", "move_table_source", false, m},
		{"tables", "schema", false, s},
		{"copy", "move_table_copy", true, m},
		{"move", "move_table", false, m},
	}
	var all []migration
	for _, step := range steps {
		one, err := f.render(arrival, migration{name: step.name, alone: step.alone}, step.template, step.with)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// moveTable returns the migrations that copy the table into a design, and the record of them.
func (w Writer) moveTable(to design.Design, folder Folder) ([]gen.File, error) {
	if err := folder.checkUnrecorded(nil); err != nil {
		return nil, err
	}
	arrival, err := withoutRest(to)
	if err != nil {
		return nil, err
	}
	migrations, err := w.format.copies(*w.table, arrival, to)
	if err != nil {
		return nil, err
	}
	rest, err := w.format.difference(arrival, to)
	if err != nil {
		return nil, err
	}
	r := w.newRecord(to)
	r.From = fromTable
	return w.write(append(migrations, rest...), folder, r)
}

// Required returns the columns in which every event has a value.
func (m tableMove) Required() []string {
	required := slices.Clone(requiredColumns)
	for _, key := range fullColumns {
		if m.From.Has(key) {
			required = append(required, key)
		}
	}
	return required
}

// SeparatorLength returns how many characters part the aggregate type from the ID.
func (m tableMove) SeparatorLength() int { return utf8.RuneCountInString(m.From.Separator) }
