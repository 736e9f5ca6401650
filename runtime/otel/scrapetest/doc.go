// Package scrapetest tests what a Prometheus server sees of runtime/otel: it scrapes the real exporter and client, and runs
// every query of the dashboard and of the alert rules on what it got, by Prometheus's own engine. It is a module of its own
// so that nobody else downloads that.
package scrapetest
