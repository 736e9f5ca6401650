package postgres

import (
	"fmt"
	"slices"
	"strings"
	"text/template"
)

var logColumns = []column{
	{name: "log", types: []string{"text"}},
	{name: "position", types: []string{"bigint"}, filled: true},
	{name: "settled", types: []string{"bigint"}, filled: true},
	{name: "appended_by", types: []string{"bigint"}, filled: true},
	{name: "dropped_at", types: []string{"timestamp with time zone"}, nullable: true},
	{name: "hashed", types: []string{"integer"}, nullable: true},
}

// logs checks the table of logs, and that each of them holds what it has counted.
func (k *checker) logs() error {
	if !k.tables.areMany() {
		return nil
	}
	t := k.tables.table
	r, err := k.table(t, "select", "insert", "update")
	if err != nil || r == nil {
		k.readable = false
		return err
	}
	sound := len(k.problems)
	if err := k.columns(t, r, logColumns); err != nil || len(k.problems) > sound {
		return err
	}
	if err := k.keys(t, r, key{"log", t.PrimaryKey(), "primary key"}); err != nil {
		return err
	}
	if err := k.layout(); err != nil || !k.readable || k.strewn {
		return err
	}
	return k.counts()
}

// layout checks that the number of logs over which streams are spread is that of the database.
func (k *checker) layout() error {
	if !k.tables.areMany() {
		return nil
	}
	var stands int
	var logs int64
	if err := k.rendered("logs.sql", []any{&stands, &logs}, func() {}); err != nil {
		return err
	}
	object := "table " + k.tables.table.String()
	switch hashed := k.tables.hashed; {
	case hashed == 0 && stands > 0:
		k.problem(object, fmt.Sprintf("has streams spread over %d logs, and not logs with names", stands), fmt.Sprintf("give the store postgres.HashedLogs(%d)", stands))
	case hashed > 0 && stands == 0:
		k.problem(object, "has no logs over which streams are spread", k.migrate())
	case hashed != stands:
		k.problem(object, fmt.Sprintf("has streams spread over %d logs, not %d: they would not be found", stands, hashed), fmt.Sprintf("give the store postgres.HashedLogs(%d)", stands))
	case logs != int64(stands):
		k.problem(object, fmt.Sprintf("has %d of the %d logs over which streams are spread", logs, stands), "bring the others back, as they were")
	}
	return nil
}

// counts checks that each log ends where it has counted to.
func (k *checker) counts() error {
	var log string
	var counted, found int64
	return k.rendered("log_ends.sql", []any{&log, &counted, &found}, func() {
		k.problem("log "+fmt.Sprintf("%q", log), fmt.Sprintf("has counted %d events, and its last one is at %d: its readers stop", counted, found),
			"bring the events back that are missing, or take out those that do not belong there")
	})
}

// inLog returns the columns of a table that holds rows of many logs, if there are many.
func (k *checker) inLog(columns []column) []column {
	if !k.tables.areMany() {
		return columns
	}
	return append([]column{{name: "log", types: []string{"text"}}}, columns...)
}

// keyOf returns the columns of a key, which begins with the log if there are many.
func (k *checker) keyOf(columns string) string {
	if !k.tables.areMany() {
		return columns
	}
	return "log, " + columns
}

// eventColumns are those of the events table but for the payload. In a log of many, the append counts positions itself.
func (k *checker) eventColumns() []column {
	if !k.tables.areMany() {
		return eventColumns
	}
	columns := slices.Clone(eventColumns)
	columns[0].filled = false
	return columns
}

// rendered runs one of the embedded statements, filled in with the tables.
func (k *checker) rendered(file string, dest []any, row func(), args ...any) error {
	parsed, err := template.ParseFS(checkFiles, "sql/check/"+file)
	if err != nil {
		return err
	}
	var text strings.Builder
	v := variant{Events: k.tables.events.Quoted(), Heads: k.tables.heads.Quoted(), Logs: k.tables.quotedLogs()}
	if k.tables.citus {
		v.Append = k.tables.events.AppendFunction().Quoted()
	}
	if err := parsed.Execute(&text, v); err != nil {
		return err
	}
	return k.query(query{numbered(text.String()), args}, dest, row)
}
