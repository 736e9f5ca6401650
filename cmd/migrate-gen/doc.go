/*
Migrate-gen writes the SQL that an eventmap event store needs: its tables, with
their constraints and comments, for PostgreSQL 14 and later or for SQLite.

Usage:

	migrate-gen [flags]

It writes a migration, for the tool that runs yours or as plain SQL, to be run
once and in one transaction, for example by psql:

	migrate-gen --output migrations
	psql --single-transaction --set ON_ERROR_STOP=1 \
		--file migrations/0001_eventmap.sql

What it wrote is recorded beside it, in eventmap.schema.json, and the flags are
too: a later run repeats those that it does not give. With other flags, or a
domain that has changed, it writes the difference as the next migrations, with
their way down, and prints the paths of the files that were written; if there
is no difference, nothing. Commit all files, and let CI run it with --check. A
list is taken back by none (--index none), a switch by =false.

A migration that has been run must not change, so a written one is never written
again. If one was edited or removed by hand, migrate-gen says so, and writes
nothing until the edit is taken back or accepted.

# Flags

	-o, --output DIR
		The folder to write to, made if it is missing.
		A single - prints the file instead, where there is one only.
		Default: migrations.
	--dialect NAME
		The database: postgres or sqlite. What is said of flags below is
		for PostgreSQL. With sqlite these are refused, since they have
		no meaning there: --schema, --aggregate-heads-table, --payload,
		--metadata, --grant, --grant-forget, --strict, --partition,
		--logs and what belongs to them, --from and --doctor; and so is
		--format tern.
		Default: postgres.
	--format NAME
		The tool that runs the migration: plain, goose, golang-migrate,
		tern, dbmate, atlas or flyway. All but plain and atlas get a way
		down, which drops the tables, but refuses to while they hold
		events. Default: plain.
	--filename NAME
		The name of the file, in the form that the tool wants; of the
		first, if several are written. Default: the next number in the
		folder, in as many digits as the tool uses, and what it is:
		0001_eventmap.sql, 0002_eventmap_payload.sql.
	--number WAY
		How migrations are numbered: one after the other (sequence), or
		by the time in UTC (time), 20260131094500_eventmap_index.sql, so
		that two branches do not choose the same number. Not for tern,
		which wants a sequence. Default: sequence.
	--schema NAME
		The schema for every table that is named without one. It is
		created if it is missing. Default: none; such tables go where
		the search_path of the connection says, which is mostly public.
	--events-table NAME
		The event log. Default: events.
	--aggregate-heads-table NAME
		The version of each stream. Default: aggregate_heads.
	--snapshots
		Make the table of snapshots, also where --domain names no
		aggregate with the word snapshots in its mark. With such an
		aggregate it is made anyway, and it stays when there is none
		any more, until --snapshots=false.
	--snapshots-table NAME
		The states of streams that are kept, if they are.
		Default: aggregate_snapshots.
	--subject-keys WHERE
		Where the keys of personal data are. here: in a table beside the
		log. elsewhere: in another database, so that backups of the log
		hold no keys; there is no table here. only: write nothing but
		that table, for that other database; needs --output -, or
		--doctor to look at that database. none: there are no keys, and
		a table that was made before is dropped, unless it holds keys.
		Default: here if --domain has fields with the mark personal, and
		as it was recorded otherwise.
	--subject-keys-table NAME
		The keys of personal data. Default: subject_keys.
	--checkpoints-table NAME
		How far each consumer is. Default: consumer_checkpoints.
	--parked-events-table NAME
		The events that a consumer set aside. Default: parked_events.
	--payload TYPE
		The type of the payload column: bytea keeps any bytes as they
		are, json any JSON as it is written, jsonb the value of JSON.
		A store has to be told of json and jsonb. Default: bytea.
	--metadata TYPE
		The type of the metadata column: json keeps it as it is written,
		jsonb is quicker to query. Default: json.
	--index NAME,...
		Further indexes on the event log: event-type, correlation, or
		none. Each of them costs every append. Default: none.
	--append-only
		Have the database refuse to update, delete or truncate events,
		whoever tries.
	--partition LAYOUT
		How the event log is partitioned. range: by position, so that
		old parts can be archived. partman: the same, and the extension
		pg_partman makes the partitions. hash: by stream, so that
		indexes stay small. The file says what each layout guarantees,
		and how. Default: none.
	--partition-size N
		How many positions a partition by position holds.
		Default: 10000000.
	--partitions N
		How many partitions there are by hash, or are made ahead of the
		log otherwise. Default: 8.
	--partman-schema NAME
		The schema of the extension pg_partman. Default: partman.
	--partman-maintenance WAY
		What has pg_partman make the next partitions: its background
		worker (bgw), pg_cron, or nothing that is arranged here.
		Default: none.
	--logs LAYOUT
		Spread events over many logs, each of which counts its own
		positions, without gaps: tenant, logs with names, such as one
		for each tenant; or hash, a fixed number of logs over which
		streams are spread by their IDs. Needs nothing but locks of
		rows; see docs/scale.md. A store has to be told. Not with
		--partition. Default: none, which is one log.
	--hashed-logs N
		How many logs there are with --logs hash. The number stands in
		the database and does not change but by a move. Default: 16.
	--event-logs-table NAME
		The logs, and how far each is. Default: event_logs.
	--tenant-rls
		Have the database show a session only the rows of the log that
		it has set, by set_config('eventmap.log', 'tenant-7', true),
		also to raw SQL and through the views. Consumers of all logs
		connect with a role that has BYPASSRLS.
	--citus
		Distribute the tables of many logs over the nodes of a Citus
		cluster, by log, with a function by which the node of a log
		appends to it. Tables of consumers stay on the coordinator, to
		which consumers connect.
		A folder that has --logs gets a migration that distributes
		what there is. A store has to be told; see docs/scale.md.
		Not with --tenant-rls, --append-only or --strict. Distributed
		tables keep their names and the types of their columns.
	--domain PATTERN
		Packages that hold the events, as eventmap-gen takes them, such
		as ./domain/... Each version of each event gets a view, such as
		order_placed_v2, with a column for each field of its JSON, and
		an index for each field marked //eventmap:index. May be given
		several times. The patterns are recorded, as seen from where
		the command ran. Default: none, and no views.
	--convention
		Take the exported structs of packages without marks as events, even
		if other packages mark theirs: as eventmap-gen was told.
	--strict
		Have the database refuse events that are not of the domain, by
		aggregate type, event type and event version. Events that the
		domain had in an earlier run stay known. Needs --domain; not
		for SQLite.
	--from SCHEMA
		one-log, with --logs: move the one log of this folder into many,
		by --log-of or by hash. Every event keeps its ID, version and
		bytes, and consumers go on where they were. Any other: do
		not begin with new tables, but move the log of another event
		store into them: eventsalsa-v0.0 (github.com/eventsalsa/store
		with aggregate terms), eventsalsa-v0.2 (with stream terms) or
		eventsalsa-v0.2-partitioned. Every event is kept as it is. The
		first migrations do it, and --metadata has to say whether that
		column stays jsonb or the log is written anew. Once they are
		written, the flag is not needed again. Default: none.
		Or table: a table or view of any shape, whose columns
		--from-columns names. It is read and checked, copied in order
		and in batches, compared, and stays as it is.
	--log-of EXPRESSION
		With --from one-log and --logs tenant: the log that an event goes
		to, as an expression of SQL over its columns, such as
		"metadata ->> 'tenant'" or "split_part(aggregate_id, '/', 1)".
		All events of a stream go to one log.
	--from-events-table NAME
		What the log is called there. Default: events; a table of
		--from table has to be named.
	--from-columns KEY=COLUMN,...
		The columns of a table of --from table. Needed are stream,
		version, type, payload and time. There may be position, which
		orders the events (otherwise their time does); aggregate;
		event-id (otherwise an ID follows from stream and version);
		event-version (otherwise 1); metadata, trace-id, correlation-id
		and causation-id. The payload is bytea, text, json or jsonb, the
		time a timestamp, which without a time zone is in UTC. What a
		table does not have, a view of it can.
	--from-aggregate NAME
		The aggregate type of all events of such a table, if no column
		says it.
	--from-separator SIGN
		What parts the aggregate type from the ID in the streams of such
		a table: - in order-42.
	--from-first-version N
		The version of the first event of each of its streams, as
		numbered there. Here it is 1. Default: 1.
	--from-encoding WAY
		How its payloads are encoded: none, base64 or hex.
		Default: none.
	--from-heads-table NAME
		What the versions of streams are called there. Default:
		aggregate_heads of v0.0, stream_heads of v0.2.
	--from-checkpoints-table NAME
		What the checkpoints of consumers are called there, or none if
		there are none. Default: consumer_checkpoints of v0.0,
		projection_checkpoints of v0.2.
	--grant ROLE,...
		Give the roles, which must exist, the rights that an application
		needs. They are not the right to change or remove events, nor to
		erase keys of personal data.
	--grant-forget ROLE,...
		Give the roles, which must exist, the right to erase keys of
		personal data, which is to forget people, and to wrap keys anew.
		What else such a role needs, --grant gives.
	--check
		Write nothing. If a migration is missing, print a unified diff
		from what is there to what would be written.
	--squash-unreleased git:REF
		Before a release: replace the migrations that the commit REF,
		such as origin/main, does not have by one, or as few as the tool
		allows. Only for migrations that no database has run that is to
		stay.
	--allow-loosening
		Let this run take away what protects the log: --append-only,
		--strict, or a layout that has a key on event IDs. It says on
		standard error what that makes possible. Without it, such a
		run is refused.
	--accept-edits
		Take the written migrations as they are now, edited or removed,
		and record that.
	--doctor
		Write no migration, but compare the database of --dsn with what
		the flags ask for and the runtime needs. Each thing that is
		wrong is printed as a comment of SQL, with the statements below
		that mend it. Nothing is changed.
	--deep
		Have --doctor read the whole log, too: each stream from its
		first version to its head, the order of positions, and, where
		the layout has no key on them, event IDs. It reads in batches
		and says on standard error how far it is.
	--forgotten FILE
		Have --doctor compare the keys of personal data with a list of
		those that were forgotten, as it was exported before a backup
		was restored: JSON objects with subject, key_id, generation and
		forgotten_at. Each key that is there again is an error; the
		statements below it erase it.
	--dsn URL
		The database for --doctor.
	-h, --help
		Print this manual.
	--version
		Print the version of migrate-gen.

A table is named "table" or "schema.table"; one that is not named stands beside
the events table. Names are taken literally: upper case stays upper case, and
reserved words are fine. A name begins with a letter or an underscore but not
with pg_, goes on with letters, digits, '_', '-' and '$', and has at most 63
bytes, which is what PostgreSQL keeps. A store has to be told the names that are
not the default ones.

# Exit status

	0  The migrations were written, or were there already.
	1  With --check: a migration is missing, was edited, or has the
	   number of another one.
	   With --doctor: something is wrong.
	2  Migrate-gen could not do its work, and nothing was written.
	   The reasons are on standard error.
*/
package main
