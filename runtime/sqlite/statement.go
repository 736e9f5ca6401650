package sqlite

import (
	"embed"
	"fmt"
	"strings"
	"text/template"
)

// statements are the SQL texts of one store. They are constant for its life, so that a connection of [Open] prepares
// each once.
type statements struct {
	head           string
	append         [len(chunks)]string // for so many events at a time
	eventsByID     string
	streamForward  string
	streamBackward string
	frontier       string
	log            string
	logFiltered    string
	latest         string

	readFromSnapshot string
	saveSnapshot     string
	dropSnapshots    string
}

// chunks are how many events one statement appends. An append of another number takes several.
var chunks = [...]int{64, 32, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1}

//go:embed sql/*.sql
var sqlFiles embed.FS

// mark begins every statement of ours, so that it can be found in logs.
const mark = "-- eventmap: "

// A variant is what a text is filled in with.
type variant struct {
	tables
	Rows               []struct{} // to insert
	Backward, Filtered bool
	Any                bool   // the claim of a segment
	Indexed            string // what an inspection looks for in an index
	ByID, Typed        bool   // an inspection of an event by its ID, of one type or consumer
}

// The tables, quoted. Names were validated when they were parsed and are the only part of a text that is not constant.

// Events returns the events table.
func (v variant) Events() string { return v.tables.Events.Quoted() }

// EventsText returns the name of the events table as a string.
func (v variant) EventsText() string { return "'" + v.tables.Events.Name + "'" }

// Snapshots returns the table of snapshots.
func (v variant) Snapshots() string { return v.tables.Snapshots.Quoted() }

// SubjectKeys returns the table of keys.
func (v variant) SubjectKeys() string { return v.tables.SubjectKeys.Quoted() }

// Checkpoints returns the table of checkpoints.
func (v variant) Checkpoints() string { return v.tables.Checkpoints.Quoted() }

// Parked returns the table of parked events.
func (v variant) Parked() string { return v.tables.Parked.Quoted() }

// A part is a text that is to be filled in.
type part struct {
	text *string
	file string
	with variant
}

// fill fills in the parts from the embedded files.
func fill(files embed.FS, parts []part, patterns ...string) error {
	parsed, err := template.ParseFS(files, patterns...)
	if err != nil {
		return fmt.Errorf("embedded SQL: %w", err)
	}
	for _, p := range parts {
		var b strings.Builder
		if err := parsed.ExecuteTemplate(&b, p.file, p.with); err != nil {
			return fmt.Errorf("embedded SQL: %w", err)
		}
		*p.text = b.String()
	}
	return nil
}

// render returns the statements for the tables.
func render(t tables) (statements, error) {
	plain := variant{tables: t}
	backward, filtered := plain, plain
	backward.Backward = true
	filtered.Filtered = true
	var s statements
	parts := []part{
		{&s.head, "head.sql", plain},
		{&s.eventsByID, "events_by_id.sql", plain},
		{&s.streamForward, "read_stream.sql", plain},
		{&s.streamBackward, "read_stream.sql", backward},
		{&s.frontier, "frontier.sql", plain},
		{&s.log, "read_log.sql", plain},
		{&s.logFiltered, "read_log.sql", filtered},
		{&s.latest, "latest.sql", plain},
		{&s.readFromSnapshot, "read_from_snapshot.sql", plain},
		{&s.saveSnapshot, "save_snapshot.sql", plain},
		{&s.dropSnapshots, "drop_snapshots.sql", plain},
	}
	for i, n := range chunks {
		rows := plain
		rows.Rows = make([]struct{}, n)
		parts = append(parts, part{&s.append[i], "append.sql", rows})
	}
	err := fill(sqlFiles, parts, "sql/*.sql")
	return s, err
}
