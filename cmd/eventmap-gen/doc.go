/*
Eventmap-gen reads the packages in which a team writes its domain events as plain Go structs, and writes a Go package
that maps them to what an event store keeps, and back: for each aggregate a typed store, an exhaustive handler and the
mapping of every version of every event, with tests.

Usage:

	eventmap-gen --output DIR [flags] [pattern...]
	eventmap-gen adopt [--write] [flags] pattern...

A pattern is one of the go command's: ./domain, ./domain/..., example.com/shop/domain/order. Folders may lie in any
module; packages of several that import one another need a go.work. It runs once for a repository, with all patterns at
once, mostly from a line like this:

	//go:generate go tool eventmap-gen --input ./domain --output ./eventstore

The same source always gives the same bytes. The paths of the files that were written are printed, those that went
after "removed"; where everything is current, nothing is written or printed. Eventmap-gen never overwrites a file that
it did not write, and nothing is written if anything is wrong.

# Finding events

The domain imports nothing of eventmap: comments, types and folders speak.

	//eventmap:event [name=NAME] [version=N] [aggregate=NAME]
		Above a struct type: it is an event. NAME is what it is stored as; default: the type's name.
	//eventmap:events [NAME]
		Above an interface: every struct that implements it is an event of the aggregate NAME, and no other.
	//eventmap:ignore
		Above a type: it is no event. Above a method of a state: it applies no event.
	//eventmap:aggregate NAME
		Above a package clause: the aggregate of the package's events.
	//eventmap:aggregate [name=NAME] [id=TYPE] [snapshots] [subject]
		Above a struct type: it is the state that the aggregate's events fold into, kept as
		snapshots if it says so: docs/snapshots.md. Code of your modules that it runs is then
		read too, in --input or not, and nothing there may differ from run to run. Its exported methods that take one
		event, and are called OnPlaced, ApplyPlaced or WhenPlaced after it, apply it; or one method Apply takes them all. TYPE names its streams; default: the type of its field ID, else string.
	//eventmap:upcast
		Above a function from one version of an event to a later one: it reads the old version, so that the rest of the
		program never meets it.
	//eventmap:opaque
		On a field: its JSON is stored as it is, whatever its type, as for map[string]any. The lock knows nothing of what is
		in it, and what does not come back the same (numbers become float64, an empty slice may become nil) is not reported.
	//eventmap:personal [SUBJECT] [erased="TEXT"]
		On a field of an event: its value is stored sealed, under the key of the subject that it is about, and can be
		forgotten. It reads as TEXT then, or as zero. See docs/privacy.md.
	//eventmap:subject [NAME]
		On a field of an event: it names a subject. The word subject on the mark of the aggregate says that the stream's
		ID does.
	//eventmap:forget [SUBJECT]
		Above an event: its subject is to be forgotten. NewAForgetter makes a consumer that does.
	//eventmap:index [using=btree|using=hash]
		On a field: migrate-gen makes an index on it. Eventmap-gen makes nothing of it.

Where no package has //eventmap:event or //eventmap:events, every exported struct type that holds data is an event. Not
taken are those that another struct has as a field; generic and generated ones; states; errors; structs with methods that
change them or take a context; structs with fields of functions, channels, locks or interfaces with methods; and those
that the code names as something else, such as PlaceOrderCommand or a parameter cmd. What may be an event all the same is
a question, which a mark answers: until then the first run exits 1. One mark //eventmap:event or //eventmap:events in any
package switches this convention off for all of them, unless --convention is given. "eventmap-gen adopt" proposes marks
for code that exists; see "eventmap-gen adopt --help".

The aggregate of an event is the one its mark or interface names, else its package's, else the folder that holds events/
or vN/ (domain/user/events/v1 gives User), else its package. Its version is the one of its mark, else the last vN in its
package's path below the module, else 1.

Names may be any text without control characters; one with blanks stands in double quotes: name="order placed".

Every run prints on standard error what changed in the set of events: "+ Order.Placed.v1 order/order.go:7" for one that
is new, "-" for one that is gone, "?" for a question. Where nothing changed, it is silent.

# The schema lock

Stored events are never rewritten, so a type must go on reading what it wrote. What every version of every event looks
like as JSON is kept in eventmap.lock.json, which is to be committed. A change that reads all that is stored is taken
into it. One that does not is reported where it is, with what to do instead, and nothing is written: a field that is
removed, renamed, narrowed, of another kind or new and always written; an enumeration whose numbers mean something else;
a version, event or aggregate that is gone or is stored under another name; streams that would get other names. Gaps
between versions, old versions without an upcaster and a lock that is missing are warnings. docs/evolution.md has every
rule, and goes through the changes one by one.

# Flags

	-i, --input DIR
		Scan DIR and the folders below it: the same as the pattern DIR/..., which may be given too. May be repeated.
	-o, --output DIR
		The folder of the package to write; it is made if it is missing. Required. In a folder that lies in no module, to be
		looked at, it is written as for the module of the events.
	-p, --package NAME
		The package's name. Default: what its files say already, else the name of the folder. A folder with a package that was
		written by hand is refused the first time unless its name is given here.
	--filename NAME
		The name of the file with what is common to all aggregates. Default: event_mapping.gen.go.
	--aggregate NAME
		The aggregate of every event that no mark or interface gives one.
	--convention
		Take the exported structs of packages without marks as events, even if other packages mark theirs.
	--tags LIST
		Build tags, separated by commas.
	--json=false
		Write no order_json.gen.go: what reads and writes payloads without reflection, with the bytes, values and errors of
		encoding/json. What is not plain, such as a type with methods of its own, is left to encoding/json.
	--mappers=false
		Leave ToOrderPlacedV1, FromOrderPlacedV1 and their like out of the package: the two functions of one version of one
		event. Stores, handlers and EventTypeOf do not need them. The generated tests have their own.
	--tests=false
		Write no tests, no sample payloads and no scenarios. A sample, testdata/payloads/Order/Placed.v1.json, is written
		below the output folder where it is missing and never changed: the tests read it for ever.
	--scenarios=false
		Write no package for tests of the domain. It lies below the output folder, eventstore/eventstoretest, and has a
		function for each aggregate with a state, such as OrderScenario: docs/testing.md.
	--lock FILE
		The schema lock. Default: eventmap.lock.json in the output folder.
	--against git:REVISION, --against FILE
		Compare with the lock of another commit, such as git:origin/main, or another file, so that events that were not
		released yet may change freely. A lock that was moved since is followed. The commit may have none: then nothing is
		locked.
	--accept-breaking LIST
		Take breaking changes of these events into the lock: Order.Placed.v1, or Order.Placed or Order for all within.
		Their sample payloads are written anew. Once: it is told if there is nothing to take.
	--moved OLD=NEW
		The package with the import path OLD, and all below it, have the path NEW, or lie below it, since the lock was
		written: a module was renamed, say. Types there that write their own JSON, or name streams, are the same as
		before; everything else is compared as ever. Once, or as long as --against names a lock with the old paths: it is
		told if the lock has none. May be repeated.
	--format text|json|github-actions
		How findings are written: text on standard error, one JSON object on standard output in place of all else there, or
		workflow commands on standard output, as are then all other errors, questions, warnings and stale files.
	--check
		Write nothing. Print a unified diff from the files that are there to what would be written, if they differ.
	-v, --verbose
		Say on standard error what was found, what was left, and why.
	-h, --help
		Print this manual.
	--version
		Print the version of eventmap-gen.

# Exit status

	0  The files were written, or are current.
	1  A change would break stored events, and nothing was written; or, with --check, the files are not current.
	2  Eventmap-gen could not do its work, and nothing was written. The reasons are on standard error, each as
	   file:line:col: message where it has a place, all of them at once.
*/
package main
