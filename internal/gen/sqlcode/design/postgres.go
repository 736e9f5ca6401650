package design

import (
	"fmt"
	"slices"

	"github.com/eventmap/eventmap/internal/pgname"
	"github.com/eventmap/eventmap/templates"
)

// Postgres is the dialect of PostgreSQL.
var Postgres = Dialect{
	Name:              "postgres",
	ConcurrentIndexes: true,
	payloads:          payloadTypes,
	metadata:          metadataTypes,
	layouts:           layouts,
	spreads:           spreads,
	hasHeads:          true,
	namesKeys:         true,
	renamesIndex:      true,
	indexMethods:      true,
	comments:          true,
	parseTable:        pgname.ParseTable,
	sameName:          func(a, b string) bool { return a == b },
	supported:         func(o Options) (Options, error) { return o, nil },
	expression:        postgresExpression,
	payloadReader:     payloadFunctions,
	templates:         parsed(templates.Postgres, "postgres/*.sql.tmpl", "postgres/doctor/*.sql.tmpl"),
	files:             templates.Postgres,
}

// postgresExpression returns the SQL of a column. An indexed one is read from the payload by itself, for only so does it
// equal the expression of the index; the others share one reading of it.
func postgresExpression(d Design, c Column) string {
	fields := "fields"
	if c.Index != "" || d.Payload == "jsonb" {
		fields = d.PayloadJSON()
	}
	json, text := fields, fields+" #>> '{}'"
	for i, name := range c.Path {
		if i == len(c.Path)-1 {
			text = json + " ->> " + literal(name)
		}
		json += " -> " + literal(name)
	}
	value := func(sqlType string) string {
		return fmt.Sprintf("%s(%s, null::%s)", d.PayloadValueFunction().Quoted(), json, sqlType)
	}
	switch {
	case c.Type == "jsonb":
		return fmt.Sprintf("nullif(%s, 'null')", json)
	case c.Type != "text":
		return value(c.Type)
	case c.Quoted:
		text = value("jsonb") + " #>> '{}'"
	}
	if c.Index != "" {
		return fmt.Sprintf(`(%s) collate "C"`, text)
	}
	return text
}

// SharesReading reports whether columns of a view are read from one reading of the payload.
func (d Design) SharesReading(v View) bool {
	return d.Payload != "jsonb" && slices.ContainsFunc(v.Columns, func(c Column) bool { return c.Index == "" })
}
