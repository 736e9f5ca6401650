/*
Catalog-gen writes down what a team's events are, from the Go code itself: a page for people, and JSON Schemas, AsyncAPI and
EventCatalog for programs. It says which versions there are, what they hold and how they differ, and, where it may read the
application, which functions emit an event and what handles it.

Usage:

	catalog-gen --output DIR [flags] [pattern...]
	catalog-gen --changes git:REVISION [flags] [pattern...]

A pattern names packages of the domain, as for eventmap-gen. It runs after eventmap-gen, since an application compiles only
with what that wrote:

	//go:generate go tool eventmap-gen --input ./domain --output ./eventstore
	//go:generate go tool catalog-gen --input ./domain --store ./eventstore --handlers ./... --output ./docs/events

The same source always gives the same bytes. The paths of the files that were written are printed, those that went after
"removed"; where everything is current, nothing is written or printed. Catalog-gen never overwrites a file that it
did not write. What it wrote below schemas and eventcatalog, and no longer makes, goes.

# What is written

	html          index.html: one file that asks nothing of any server. It can be searched, and works without JavaScript.
	schema        schemas/Order.Placed.v2.schema.json: JSON Schema 2020-12 of what is stored. What is always written is
	              required, objects are open, and what a type writes by itself may be anything.
	asyncapi      asyncapi.json: AsyncAPI 3.0, with a channel for each aggregate and a message for each version.
	eventcatalog  eventcatalog: events and their versions, and a service for the application, for EventCatalog.

# Handlers and emitters

With --handlers, the application is read with its types. A handler is what a call gives to a generated function, such as
NewOrderConsumer: the name of the consumer where that is constant, and which events a struct of functions ignores. An
emitter is a function that makes an event and returns the sum of the aggregate's events, or hands it to a generated
store. What the source does not tell is said to be unknown. An application that does not compile is an error.

# Flags

	-i, --input DIR
		Read the events of DIR and the folders below it: the same as the pattern DIR/... May be repeated.
	-o, --output DIR
		The folder to write to; it is made if it is missing. Required, but for --changes.
	--store DIR
		The folder of the package that eventmap-gen wrote: for its samples and its lock, and to know handlers by.
	--handlers PATTERN
		Packages of the application, such as ./... May be repeated. Without it nobody looks for handlers and emitters.
	--format LIST
		What to write, of html, schema, asyncapi and eventcatalog, separated by commas. Default: all. With --changes: text,
		which is the default, or json.
	--title TITLE
		What the catalogue is called. Default: Events.
	--aggregate NAME
		The aggregate of every event that no mark or interface gives one, as for eventmap-gen.
	--convention
		Take the exported structs of packages without marks as events, even if other packages mark theirs: as eventmap-gen was told.
	--tags LIST
		Build tags, separated by commas.
	--changes git:REVISION, --changes FILE
		Print what a consumer of the events has to know since the schema lock of another commit, such as git:v1.2.0, or another
		file. Nothing is written.
	--lock FILE
		The schema lock, for --changes. Default: eventmap.lock.json in the folder of --store.
	--check
		Write nothing. Print a unified diff from the files that are there to what would be written, if they differ.
	-h, --help
		Print this manual.
	--version
		Print the version of catalog-gen.

# Exit status

	0  The files were written, or are current; the changes were printed.
	1  With --check, the files are not current.
	2  Catalog-gen could not do its work, and nothing was written. The reasons are on standard error, each as
	   file:line:col: message where it has a place, all of them at once.
*/
package main
