package postgres

import (
	"embed"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"text/template"
)

// statements are the SQL texts of one store. They are constant for its life, so that pgx prepares each once on a
// connection.
type statements struct {
	append         appendStatements
	appendOn       appendStatements // where the sequence was looked at a moment ago; see look
	appendStreams  string
	appendOnNode   string // what appends on Citus
	appendGroup    string
	undoStreams    string
	releaseGuards  string
	head           string
	headOrLog      string // and the log is there from then on, where it is one of many
	heads          string
	end            string
	eventsByID     string
	streamForward  string
	streamBackward string
	frontier       string
	log            string
	logFiltered    string
	latest         string

	appendStreamsOnNode string

	readFromSnapshot string
	readStreams      string
	readStreamsFrom  string // their snapshots
	saveSnapshot     string
	dropSnapshots    string
}

// appendStatements are the appends to one stream.
type appendStatements struct {
	create    string // to a stream that need not exist
	extend    string // to one that must
	createOne string // the same for exactly one event, which needs no arrays
	extendOne string
}

// to returns the text of an append.
func (a *appendStatements) to(creates, single bool) string {
	switch {
	case creates && single:
		return a.createOne
	case creates:
		return a.create
	case single:
		return a.extendOne
	}
	return a.extend
}

//go:embed sql/*.sql
var sqlFiles embed.FS

// A variant is what a text is filled in with. Logs is empty where there is one log.
type variant struct {
	Events, Heads, Sequence, Snapshots, Logs string
	Append                                   string // the function that appends on the node of a log; else empty
	hashed                                   int    // how many logs streams are spread over; 0: a log has a name

	Payload            PayloadType
	Creates, Single    bool
	Looked             bool
	Notify             bool
	Backward, Filtered bool
	FromSnapshots      bool
}

// Read returns the expression that reads a payload. In a column of JSON an empty one is NULL.
func (v variant) Read() string {
	if !v.Payload.isJSON() {
		return "payload"
	}
	return "coalesce(payload::text, '')"
}

// ReadAs returns the type that Read has.
func (v variant) ReadAs() string {
	if !v.Payload.isJSON() {
		return "bytea"
	}
	return "text"
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

// Of returns the condition that rows of a table, by its alias, are of the log, with what joins it to the next; none where
// there is one log. $log is the parameter behind the last one; see numbered.
func (v variant) Of(alias string) string {
	if v.Logs == "" {
		return ""
	}
	if alias != "" {
		alias += "."
	}
	return alias + "log = $log::text\n\t  and "
}

// Same returns the condition that rows of two aliases are of the same log, in the same form. On Citus a statement is about one log, and
// reaches its node whole only if it says so of each table.
func (v variant) Same(a, b string) string {
	switch {
	case v.Logs == "":
		return ""
	case v.Append != "":
		return a + ".log = $log::text\n\t\tand "
	}
	return a + ".log = " + b + ".log\n\t\tand "
}

// Spread reports whether streams are spread over the logs.
func (v variant) Spread() bool { return v.hashed > 0 }

// Key returns the column of the log with the comma that joins it to the next; nothing where there is one log. Log returns
// its value in the same form, ItsLog that of an alias, and Place the columns of an event that the one log fills in itself.
func (v variant) Key() string { return v.unlessOne("log, ") }

// Log is described at Key.
func (v variant) Log() string { return v.unlessOne("$log::text, ") }

// ItsLog is described at Key.
func (v variant) ItsLog(alias string) string { return v.unlessOne(alias + ".log,\n\t\t") }

// Place is described at Key.
func (v variant) Place() string { return v.unlessOne("log,\n\tglobal_position,\n\t") }

func (v variant) unlessOne(text string) string {
	if v.Logs == "" {
		return ""
	}
	return text
}

// LogOf returns the expression of the log that a stream is in, by the expression of its aggregate ID.
func (v variant) LogOf(aggregateID string) string {
	if v.hashed == 0 {
		return "$log::text"
	}
	return fmt.Sprintf("(('x' || encode(substring(sha256(convert_to(%s, 'UTF8')) for 4), 'hex'))::bit(32)::bigint %% %d)::text", aggregateID, v.hashed)
}

// parameter finds the numbered parameters of a text.
var parameter = regexp.MustCompile(`\$(\d+)`)

// numbered returns a text in which the parameters that have names have the numbers behind the highest: $logs and $ends, which go together, or
// one of $log and $drawn.
func numbered(text string) string {
	highest := 0
	for _, m := range parameter.FindAllStringSubmatch(text, -1) {
		n, _ := strconv.Atoi(m[1]) // it matched
		highest = max(highest, n)
	}
	next, last := "$"+strconv.Itoa(highest+1), "$"+strconv.Itoa(highest+2)
	return strings.NewReplacer("$logs", next, "$ends", last, "$log", next, "$drawn", next).Replace(text)
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
		Logs:      t.quotedLogs(),
		hashed:    t.hashed,
		Payload:   payload,
		Notify:    notify,
	}
	if t.citus {
		plain.Append, plain.hashed = t.events.AppendFunction().Quoted(), 0 // each statement is about the log of its argument
	}
	create, createOne, extendOne, backward, filtered := plain, plain, plain, plain, plain
	create.Creates = true
	createOne.Creates, createOne.Single = true, true
	extendOne.Single = true
	looked := func(v variant) variant {
		v.Looked = true
		return v
	}
	backward.Backward = true
	filtered.Filtered = true
	fromSnapshots := plain
	fromSnapshots.FromSnapshots = true

	var s statements
	for _, part := range []struct {
		text *string
		file string
		with variant
	}{
		{&s.append.create, "append.sql", create},
		{&s.append.extend, "append.sql", plain},
		{&s.append.createOne, "append.sql", createOne},
		{&s.append.extendOne, "append.sql", extendOne},
		{&s.appendOn.create, "append.sql", looked(create)},
		{&s.appendOn.extend, "append.sql", looked(plain)},
		{&s.appendOn.createOne, "append.sql", looked(createOne)},
		{&s.appendOn.extendOne, "append.sql", looked(extendOne)},
		{&s.appendStreams, "append_streams.sql", plain},
		{&s.appendOnNode, "append_on_node.sql", extendOne},
		{&s.appendStreamsOnNode, "append_on_node.sql", plain},
		{&s.appendGroup, "append_group.sql", plain},
		{&s.undoStreams, "undo_streams.sql", plain},
		{&s.releaseGuards, "release_guards.sql", plain},
		{&s.head, "head.sql", plain},
		{&s.headOrLog, "head.sql", create},
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
		{&s.readStreams, "read_streams.sql", plain},
		{&s.readStreamsFrom, "read_streams.sql", fromSnapshots},
		{&s.saveSnapshot, "save_snapshot.sql", plain},
		{&s.dropSnapshots, "drop_snapshots.sql", plain},
	} {
		var b strings.Builder
		if err := parsed.ExecuteTemplate(&b, part.file, part.with); err != nil {
			return statements{}, fmt.Errorf("embedded SQL: %w", err)
		}
		*part.text = numbered(b.String())
	}
	return s, nil
}
