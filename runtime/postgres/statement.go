package postgres

import (
	"embed"
	"fmt"
	"strings"
	"text/template"
)

// statements are the SQL texts of one store. They are constant for its life, so that pgx prepares each once on a
// connection.
type statements struct {
	create         string // append events to a stream that need not exist
	extend         string // append events to one that must
	createOne      string // the same for exactly one event, which needs no arrays
	extendOne      string
	appendStreams  string
	appendGroup    string
	undoStreams    string
	releaseGuards  string
	head           string
	heads          string
	end            string
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

//go:embed sql/*.sql
var sqlFiles embed.FS

// A variant is what a text is filled in with.
type variant struct {
	Events, Heads, Sequence, Snapshots string

	Payload            PayloadType
	Creates, Single    bool
	Notify             bool
	Backward, Filtered bool
}

// Read returns the expression that reads a payload. In a column of JSON an empty one is NULL.
func (v variant) Read() string {
	if !v.Payload.isJSON() {
		return "payload"
	}
	return "coalesce(payload::text, '')"
}

// State returns the expression that reads a snapshot's state in the form that Read gives to payloads.
func (v variant) State() string {
	if !v.Payload.isJSON() {
		return "snapshot.state"
	}
	return "convert_from(snapshot.state, 'UTF8')"
}

// Stored returns the expression that turns a payload's bytes into what its column takes.
func (v variant) Stored(bytes string) string {
	if !v.Payload.isJSON() {
		return bytes
	}
	return fmt.Sprintf("nullif(convert_from(%s, 'UTF8'), '')::%s", bytes, v.Payload)
}

// render returns the statements for the tables. Names come quoted from pgname, which also validated them, and are the
// only part of a text that is not constant.
func render(t tables, payload PayloadType, notify bool) (statements, error) {
	parsed, err := template.ParseFS(sqlFiles, "sql/*.sql")
	if err != nil {
		return statements{}, fmt.Errorf("embedded SQL: %w", err)
	}
	plain := variant{
		Events:    t.events.Quoted(),
		Heads:     t.heads.Quoted(),
		Sequence:  t.events.Sequence().Quoted(),
		Snapshots: t.snapshots.Quoted(),
		Payload:   payload,
		Notify:    notify,
	}
	create, createOne, extendOne, backward, filtered := plain, plain, plain, plain, plain
	create.Creates = true
	createOne.Creates, createOne.Single = true, true
	extendOne.Single = true
	backward.Backward = true
	filtered.Filtered = true

	var s statements
	for _, part := range []struct {
		text *string
		file string
		with variant
	}{
		{&s.create, "append.sql", create},
		{&s.extend, "append.sql", plain},
		{&s.createOne, "append.sql", createOne},
		{&s.extendOne, "append.sql", extendOne},
		{&s.appendStreams, "append_streams.sql", plain},
		{&s.appendGroup, "append_group.sql", plain},
		{&s.undoStreams, "undo_streams.sql", plain},
		{&s.releaseGuards, "release_guards.sql", plain},
		{&s.head, "head.sql", plain},
		{&s.heads, "heads.sql", plain},
		{&s.end, "end.sql", plain},
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
	} {
		var b strings.Builder
		if err := parsed.ExecuteTemplate(&b, part.file, part.with); err != nil {
			return statements{}, fmt.Errorf("embedded SQL: %w", err)
		}
		*part.text = b.String()
	}
	return s, nil
}
