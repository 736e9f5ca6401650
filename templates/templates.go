// Package templates holds the SQL that migrate-gen writes, as it is written: one file for each table, for text/template.
// What is filled in is decided in internal/gen/sqlcode; no template is ever given an unchecked name.
package templates

import "embed"

// Postgres holds the templates for PostgreSQL, in the folder postgres. The file schema.sql.tmpl includes
// those of the tables; schema.down.sql.tmpl is the way back. In the folder doctor are queries that ask a database
// whether something is as it was written. The folder upgrade, where there is one, holds what takes tables from one version of
// the schema to the next, 2.sql.tmpl to the second, and 2.down.sql.tmpl back from it.
//
//go:embed postgres
var Postgres embed.FS

// SQLite holds the templates for SQLite, in the folder sqlite, as Postgres does. Those of the tables are also what
// runtime/sqlite makes its tables with.
//
//go:embed sqlite
var SQLite embed.FS
