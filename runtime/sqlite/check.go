package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/eventmap/eventmap/internal/pgname"
	"github.com/eventmap/eventmap/runtime"
)

//go:embed sql/check/*.sql
var checkFiles embed.FS

// Check compares a database with what a store and its consumers need, and returns nil or a [*runtime.CheckError] that holds
// everything that is wrong: missing tables, columns and keys, columns of another type, positions that could be given
// twice, and settings of the connection under which transactions fail that could wait, or commits are lost that were
// acknowledged. Any other error means that it could not look. It changes nothing; call it when the application starts.
//
// The tables of snapshots and of subjects' keys may be missing, as only some domains need them, unless an option names them:
// [WithSnapshotsTable] with "aggregate_snapshots" says that this program needs it.
//
// db is a *sql.DB, a *sql.Conn or a *sql.Tx.
func Check(ctx context.Context, db interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}, opts ...Option) error {
	c, t, err := configure(opts)
	if err != nil {
		return err
	}
	k := checker{ctx: ctx, db: db, tables: t}
	err = k.settings()
	for _, needed := range t.needed() {
		if needed.name == t.Snapshots && c.SnapshotsTable != "" || needed.name == t.SubjectKeys && c.SubjectKeysTable != "" {
			needed.spare = false
		}
		err = errors.Join(err, k.table(needed))
	}
	if err == nil && !k.incomplete {
		err = errors.Join(k.sequence(), k.streams())
	}
	if err != nil {
		return fmt.Errorf("check the database: %w", err)
	}
	if len(k.problems) > 0 {
		return &runtime.CheckError{Problems: k.problems}
	}
	return nil
}

// A table is what is needed of a table.
type table struct {
	name    pgname.Table
	columns []column
	keys    []string // unique, their columns separated by ", "
	log     bool
	spare   bool // nobody has to have it
}

// A column is what is needed of a column.
type column struct {
	name, kind string
	nullable   bool
}

// needed returns the tables of a store and its consumers.
func (t tables) needed() []table {
	return []table{eventsTable(t), snapshotsTable(t), keysTable(t), checkpointsTable(t), parkedTable(t)}
}

func eventsTable(t tables) table {
	return table{name: t.Events, log: true, keys: []string{"aggregate_type, aggregate_id, aggregate_version", "event_id"}, columns: []column{
		{"global_position", "integer", false},
		{"created_at", "text", false},
		{"event_id", "text", false},
		{"aggregate_version", "integer", false},
		{"event_version", "integer", false},
		{"aggregate_type", "text", false},
		{"aggregate_id", "text", false},
		{"event_type", "text", false},
		{"payload", "blob", false},
		{"metadata", "text", true},
		{"trace_id", "text", true},
		{"correlation_id", "text", true},
		{"causation_id", "text", true},
	}}
}

// snapshotsTable is needed only by domains that have the mark snapshots.
func snapshotsTable(t tables) table {
	return table{name: t.Snapshots, spare: true, keys: []string{"aggregate_type, aggregate_id, fingerprint"}, columns: []column{
		{"aggregate_type", "text", false},
		{"aggregate_id", "text", false},
		{"fingerprint", "text", false},
		{"aggregate_version", "integer", false},
		{"state", "blob", false},
		{"key_ids", "text", false},
		{"saved_at", "text", false},
	}}
}

// keysTable is needed only by domains with personal data.
func keysTable(t tables) table {
	return table{name: t.SubjectKeys, spare: true, keys: []string{"subject, generation"}, columns: []column{
		{"key_id", "text", false},
		{"subject", "text", false},
		{"generation", "integer", false},
		{"wrapped", "blob", true},
		{"wrapped_by", "text", true},
		{"created_at", "text", false},
		{"forgotten_at", "text", true},
	}}
}

func checkpointsTable(t tables) table {
	return table{name: t.Checkpoints, keys: []string{"consumer, segment"}, columns: []column{
		{"consumer", "text", false},
		{"segment", "integer", false},
		{"segments", "integer", false},
		{"position", "integer", false},
		{"handled", "text", true},
		{"failures", "integer", false},
		{"failed_position", "integer", true},
		{"last_error", "text", true},
		{"retry_at", "text", true},
		{"stopped_at", "text", true},
		{"updated_at", "text", false},
		{"event_id", "text", true},
		{"event_position", "integer", true},
		{"replay_until", "integer", false},
	}}
}

func parkedTable(t tables) table {
	return table{name: t.Parked, keys: []string{"consumer, global_position"}, columns: []column{
		{"consumer", "text", false},
		{"global_position", "integer", false},
		{"aggregate_type", "text", false},
		{"aggregate_id", "text", false},
		{"attempts", "integer", false},
		{"error", "text", false},
		{"parked_at", "text", false},
	}}
}

// A checker collects the problems of one database.
type checker struct {
	ctx      context.Context // for the length of one call of Check
	db       queryer
	tables   tables
	problems []runtime.Problem
	// incomplete says that the log lacks what the further statements need.
	incomplete bool
}

func (k *checker) problem(object, reason, remedy string) {
	k.problems = append(k.problems, runtime.Problem{Object: object, Reason: reason, Remedy: remedy})
}

// migrate says which command makes what is missing.
func (k *checker) migrate() string {
	return "migrate it with sqlite.Migrate, or with the SQL that `migrate-gen" + k.tables.flags() + "` writes"
}

// checkEach runs one of the embedded statements and calls row after each row was scanned into dest.
func checkEach(ctx context.Context, db queryer, file string, args, dest []any, row func()) error {
	text, err := checkFiles.ReadFile("sql/check/" + file)
	if err != nil {
		return err
	}
	return each(ctx, db, string(text), args, func(r *sql.Rows) error {
		if err := r.Scan(dest...); err != nil {
			return err
		}
		row()
		return nil
	})
}

func (k *checker) settings() error {
	var inFile bool
	var journal string
	var synchronous, timeout int
	return checkEach(k.ctx, k.db, "settings.sql", nil, []any{&inFile, &journal, &synchronous, &timeout}, func() {
		if timeout == 0 {
			k.problem("busy_timeout", "is 0, so that a transaction fails where it could wait for another", "open the database with sqlite.Open")
		}
		if !inFile {
			return
		}
		if journal != "wal" {
			k.problem("journal_mode", "is "+journal+", in which readers and the writer keep each other waiting", "open the database with sqlite.Open")
		}
		if synchronous == 0 {
			k.problem("synchronous", "is off, so that a power cut can damage the file", "open the database with sqlite.Open")
		}
	})
}

func (k *checker) table(needed table) error {
	made := ""
	if err := checkEach(k.ctx, k.db, "table.sql", []any{needed.name.Name}, []any{&made}, func() {}); err != nil {
		return err
	}
	if made == "" && needed.spare {
		return nil
	}
	if made == "" {
		k.problem("table "+needed.name.String(), "is missing", k.migrate())
		k.incomplete = k.incomplete || needed.log
		return nil
	}
	if needed.log {
		k.log(needed.name, made)
	}
	var key string
	var keys []string
	err := errors.Join(
		k.columns(needed),
		checkEach(k.ctx, k.db, "keys.sql", []any{needed.name.Name}, []any{&key}, func() { keys = append(keys, key) }),
	)
	for _, n := range needed.keys {
		if err == nil && !slices.Contains(keys, n) {
			k.problem("table "+needed.name.String(), "has no unique key on ("+n+")", k.migrate())
		}
	}
	return err
}

// log looks at the statement that made the events table.
func (k *checker) log(name pgname.Table, made string) {
	first, _, _ := strings.Cut(made, "\n")
	if version, ok := pgname.ParseMarker(strings.TrimSpace(first)); ok && version.Oldest > pgname.SchemaVersion { // of an older one, columns are missing
		k.problem("table "+name.String(), fmt.Sprintf("has schema version %d; this runtime needs %d", version.Number, pgname.SchemaVersion),
			"deploy a release of the runtime that needs it")
	}
	// Nothing else tells: SQLite has no pragma for it.
	if !strings.Contains(strings.ToLower(made), "autoincrement") {
		k.incomplete = true // there may be no sqlite_sequence
		k.problem("column global_position of "+name.String(), "is not autoincrement, so that a position could be given twice", k.migrate())
	}
}

// columns compares the columns of a table with those that are needed. A column too many is a problem if an append, which
// gives it no value, would fail on it.
func (k *checker) columns(needed table) error {
	missing := make(map[string]column, len(needed.columns))
	for _, c := range needed.columns {
		missing[c.name] = c
	}
	var name, kind string
	var notNull, filled bool
	err := checkEach(k.ctx, k.db, "columns.sql", []any{needed.name.Name}, []any{&name, &kind, &notNull, &filled}, func() {
		object := "column " + name + " of " + needed.name.String()
		c, known := missing[name]
		delete(missing, name)
		switch {
		case !known && notNull && !filled:
			k.problem(object, "is not null and has no default, so that no append succeeds", "give it a default or drop it")
		case !known:
		case c.kind != kind:
			k.problem(object, "is "+kind+", not "+c.kind, k.migrate())
		case c.nullable && notNull:
			k.problem(object, "is not null, but may have to be", k.migrate())
		}
	})
	for _, c := range needed.columns {
		if _, is := missing[c.name]; is && err == nil {
			k.problem("column "+c.name+" of "+needed.name.String(), "is missing", k.migrate())
			k.incomplete = k.incomplete || needed.log
		}
	}
	return err
}

// lacking returns what the tables lack, in words.
func lacking(ctx context.Context, db queryer, needed []table) ([]string, error) {
	var lacks []string
	for _, n := range needed {
		var name, kind string
		var notNull, filled bool
		var found []string
		err := checkEach(ctx, db, "columns.sql", []any{n.name.Name}, []any{&name, &kind, &notNull, &filled}, func() {
			found = append(found, name)
		})
		if err != nil {
			return nil, err
		}
		if found == nil {
			lacks = append(lacks, fmt.Sprintf("table %s is missing", n.name))
			continue
		}
		for _, c := range n.columns {
			if !slices.Contains(found, c.name) {
				lacks = append(lacks, fmt.Sprintf("table %s lacks the column %s", n.name, c.name))
			}
		}
	}
	return lacks, nil
}
