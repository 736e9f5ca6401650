package sqlite

import "embed"

// inspectStatements are the SQL texts of an Inspector, constant for its life.
type inspectStatements struct {
	log            map[logOrder]eventStatements
	indexed        string
	event          string
	eventByID      string
	head           string
	streamForward  string
	streamBackward string
	streams        string
	types          string
	positionAt     string
	frontier       string
	checkpoints    string
	parked         string
	parkedOf       string
	countParked    string
	summary        string
}

// A logOrder says by which index the log is walked, and in which direction.
type logOrder struct {
	by        string // empty: by position
	ascending bool
}

// The indexes that migrate-gen makes if it is told to.
const (
	byEventType     = "event type"
	byCorrelationID = "correlation ID"
)

// eventStatements read a page of the log and tell where it has ended.
type eventStatements struct{ events, window string }

//go:embed sql/parts.sql sql/consumer/parts.sql sql/inspect/*.sql
var inspectFiles embed.FS

// renderInspect returns the statements for the tables; see render.
func renderInspect(t tables) (inspectStatements, error) {
	plain := variant{tables: t}
	byID, backward, typed := plain, plain, plain
	byID.ByID = true
	backward.Backward = true
	typed.Typed = true
	s := inspectStatements{log: make(map[logOrder]eventStatements)}
	parts := []part{
		{&s.indexed, "indexed.sql", plain},
		{&s.event, "event.sql", plain},
		{&s.eventByID, "event.sql", byID},
		{&s.head, "stream_head.sql", plain},
		{&s.streamForward, "stream.sql", plain},
		{&s.streamBackward, "stream.sql", backward},
		{&s.streams, "streams.sql", plain},
		{&s.types, "types.sql", plain},
		{&s.positionAt, "position_at.sql", plain},
		{&s.frontier, "frontier.sql", plain},
		{&s.checkpoints, "checkpoints.sql", plain},
		{&s.parked, "parked.sql", plain},
		{&s.parkedOf, "parked.sql", typed},
		{&s.countParked, "count_parked.sql", plain},
		{&s.summary, "summary.sql", plain},
	}
	texts := make(map[logOrder]*eventStatements)
	for _, by := range []string{"", byEventType, byCorrelationID} {
		for _, ascending := range []bool{false, true} {
			with := plain
			with.Indexed, with.Backward = by, !ascending
			text := new(eventStatements)
			texts[logOrder{by, ascending}] = text
			parts = append(parts, part{&text.events, "events.sql", with}, part{&text.window, "window.sql", with})
		}
	}
	err := fill(inspectFiles, parts, "sql/*.sql", "sql/consumer/*.sql", "sql/inspect/*.sql")
	for order, text := range texts {
		s.log[order] = *text
	}
	return s, err
}
