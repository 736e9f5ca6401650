// Package acceptance has only tests: what others make of what catalog-gen writes. JSON Schema is judged by a validator in Go,
// and, where npm is installed, by those that users have: ajv, the parser of AsyncAPI, and the SDK of EventCatalog. Chromium
// drives the page. It is a module of its own, so that nobody who uses eventmap downloads them.
package acceptance
