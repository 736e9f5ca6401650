// Package personal has only tests: what generated code does with personal data, on PostgreSQL and on SQLite. The domain has
// every kind of mark and of personal field; its aggregates Letter and Card, which differ in the marks alone, are measured by
// the bench.
package personal

//go:generate go run github.com/eventmap/eventmap/cmd/eventmap-gen --input ./domain --output ./personalstore
