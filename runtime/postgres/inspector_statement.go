package postgres

import (
	"embed"
	"fmt"
	"strings"
	"text/template"

	"github.com/eventmap/eventmap/runtime/internal/paging"
)

// inspectStatements are the SQL texts of an Inspector, constant for its life.
type inspectStatements struct {
	limits         string // of a transaction
	log            paging.Log
	event          string
	eventByID      string
	head           string
	streamForward  string
	streamBackward string
	streams        string
	streamsOfType  string
	types          string
	positionAt     string
	frontier       string
	holders        string
	checkpoints    string
	parked         string
	parkedOf       string
	countParked    string
	summary        string
}

//go:embed sql/parts.sql sql/consumer/checkpoint.sql sql/consumer/holders.sql sql/inspect/*.sql
var inspectFiles embed.FS

// An inspectVariant is what a text is filled in with.
type inspectVariant struct {
	variant
	Checkpoints, Parked string
	End                 string // how far one of many logs is; empty where there is one log
	Indexed             string
	ByID, Typed         bool
}

// ReadFirst returns the expression that reads the first bytes of a payload.
func (v inspectVariant) ReadFirst(n string) string {
	if !v.Payload.isJSON() {
		return fmt.Sprintf("substring(e.payload for %s)", n)
	}
	return fmt.Sprintf("convert_to(left(coalesce(e.payload::text, ''), %s), 'UTF8')", n)
}

// Size returns the expression for the length of a payload.
func (v inspectVariant) Size() string {
	if !v.Payload.isJSON() {
		return "octet_length(e.payload)::bigint"
	}
	return "coalesce(octet_length(e.payload::text), 0)::bigint"
}

// ofLog returns the variant that shows one of many logs, in which each table is the rows of that log.
func (v inspectVariant) ofLog(logs, log string) inspectVariant {
	rows := func(columns, table string) string {
		return "(select " + columns + " from " + table + " where log = " + literal(log) + ")"
	}
	v.Events, v.Heads, v.Parked = rows("*", v.Events), rows("*", v.Heads), rows("*", v.Parked)
	v.Checkpoints = rows("*, xmax, 0 as segment, 1 as segments", v.Checkpoints)
	v.End = rows("coalesce(max(position), 0) as position", logs)
	return v
}

// renderInspect returns the statements for the tables, and the log if there are many; see render.
func renderInspect(t consumerTables, log string, payload PayloadType) (inspectStatements, error) {
	parsed, err := template.ParseFS(inspectFiles, "sql/*.sql", "sql/consumer/*.sql", "sql/inspect/*.sql")
	if err != nil {
		return inspectStatements{}, fmt.Errorf("embedded SQL: %w", err)
	}
	plain := inspectVariant{
		variant: variant{
			Events:   t.events.Quoted(),
			Heads:    t.heads.Quoted(),
			Sequence: t.events.Sequence().Quoted(),
			Payload:  payload,
		},
		Checkpoints: t.checkpoints.Quoted(),
		Parked:      t.parked.Quoted(),
	}
	if t.areMany() {
		plain = plain.ofLog(t.quotedLogs(), log)
	}
	byID, backward, typed := plain, plain, plain
	byID.ByID = true
	backward.Backward = true
	typed.Typed = true

	fill := func(file string, with inspectVariant) string {
		var b strings.Builder
		if failed := parsed.ExecuteTemplate(&b, file, with); failed != nil && err == nil {
			err = fmt.Errorf("embedded SQL: %w", failed)
		}
		return b.String()
	}
	s := inspectStatements{
		limits: "-- eventmap: keep an inspection short\nselect set_config('statement_timeout', $1::text, true), set_config('jit', 'off', true)",
		log:    paging.Log{Orders: make(map[paging.Order]*paging.Statements), Indexed: fill("indexed.sql", plain)},
	}
	for _, order := range paging.Orders() {
		with := plain
		with.Indexed, with.Backward = order.By, !order.Ascending
		s.log.Orders[order] = &paging.Statements{Events: fill("events.sql", with), Window: fill("window.sql", with)}
	}
	s.event = fill("event.sql", plain)
	s.eventByID = fill("event.sql", byID)
	s.head = fill("stream_head.sql", plain)
	s.streamForward = fill("stream.sql", plain)
	s.streamBackward = fill("stream.sql", backward)
	s.streams = fill("streams.sql", plain)
	s.streamsOfType = fill("streams.sql", typed)
	s.types = fill("types.sql", plain)
	s.positionAt = fill("position_at.sql", plain)
	s.frontier = fill("frontier.sql", plain)
	s.holders = fill("holders.sql", plain)
	s.checkpoints = fill("checkpoints.sql", plain)
	s.parked = fill("parked.sql", plain)
	s.parkedOf = fill("parked.sql", typed)
	s.countParked = fill("count_parked.sql", plain)
	s.summary = fill("summary.sql", plain)
	return s, err
}
