package sqlite

import (
	"embed"

	"github.com/eventmap/eventmap/runtime/internal/paging"
)

// inspectStatements are the SQL texts of an Inspector, constant for its life.
type inspectStatements struct {
	log            paging.Log
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

//go:embed sql/parts.sql sql/consumer/parts.sql sql/inspect/*.sql
var inspectFiles embed.FS

// renderInspect returns the statements for the tables; see render.
func renderInspect(t tables) (inspectStatements, error) {
	plain := variant{tables: t}
	byID, backward, typed := plain, plain, plain
	byID.ByID = true
	backward.Backward = true
	typed.Typed = true
	s := inspectStatements{log: paging.Log{Orders: make(map[paging.Order]*paging.Statements)}}
	parts := []part{
		{&s.log.Indexed, "indexed.sql", plain},
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
	for _, order := range paging.Orders() {
		with := plain
		with.Indexed, with.Backward = order.By, !order.Ascending
		texts := new(paging.Statements)
		s.log.Orders[order] = texts
		parts = append(parts, part{&texts.Events, "events.sql", with}, part{&texts.Window, "window.sql", with})
	}
	err := fill(inspectFiles, parts, "sql/*.sql", "sql/consumer/*.sql", "sql/inspect/*.sql")
	return s, err
}
