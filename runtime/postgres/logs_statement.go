package postgres

import (
	"embed"
	"fmt"
	"strings"
	"text/template"
)

// logStatements are the SQL texts of Logs, constant for their life.
type logStatements struct {
	list        string
	create      string
	markDropped string
	isThere     string
	dropFrom    []dropFrom // in the order in which a log is dropped
}

// dropFrom deletes the rows of a log from a table, which need not be there.
type dropFrom struct{ name, sql string }

//go:embed sql/logs/*.sql
var logFiles embed.FS

// renderLogs returns the statements for the tables; see render.
func renderLogs(t consumerTables) (logStatements, error) {
	parsed, err := template.ParseFS(logFiles, "sql/logs/*.sql")
	if err != nil {
		return logStatements{}, fmt.Errorf("embedded SQL: %w", err)
	}
	text := func(file, table string) string {
		var b strings.Builder
		if executeErr := parsed.ExecuteTemplate(&b, file, struct{ Logs, Table string }{t.quotedLogs(), table}); executeErr != nil {
			err = fmt.Errorf("embedded SQL: %w", executeErr)
		}
		return b.String()
	}
	s := logStatements{
		list:        text("list.sql", ""),
		create:      text("create.sql", ""),
		markDropped: text("mark_dropped.sql", ""),
		isThere:     "-- eventmap: is there a table\nselect to_regclass($1::text) is not null",
	}
	for _, table := range []string{t.checkpoints.Quoted(), t.parked.Quoted(), t.snapshots.Quoted(), t.events.Quoted(), t.heads.Quoted()} {
		s.dropFrom = append(s.dropFrom, dropFrom{table, text("drop.sql", table)})
	}
	return s, err
}
