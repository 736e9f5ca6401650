// Package sqlc has only tests: sqlc generates from what migrate-gen wrote. It is a module of its own, so that nobody who uses
// eventmap downloads sqlc, and is not in that of the runners since sqlc takes a minute and a half to build.
package sqlc
