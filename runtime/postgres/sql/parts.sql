{{- /* What several statements share. */ -}}

{{/* The argument is what the payload is: the column, or an expression that reads it. */}}
{{define "columns" -}}
aggregate_type,
	aggregate_id,
	aggregate_version,
	event_id,
	event_type,
	event_version,
	{{.}},
	trace_id,
	correlation_id,
	causation_id,
	metadata,
	created_at
{{- end}}

{{define "namespace" -}}
('{{.Sequence}}'::regclass::oid::bigint & 32767 | 32768)
{{- end}}

{{define "setting" -}}
'eventmap.fence_' || '{{.Sequence}}'::regclass::oid
{{- end}}

{{define "lock" -}}
pg_advisory_xact_lock_shared({{template "namespace" .}} << 48 | least(coalesce(pg_sequence_last_value('{{.Sequence}}'), 0), 281474976710655))::text
{{- end}}

{{/* The highest position that is visible though the sequence has not given it out yet, or null. In a sound log there is
none: what a snapshot shows was drawn before it was taken, and so before the sequence is read here. A sequence that
was set and not used since has no last value; then its row says which position is next. The value comes from a query of its
own, since a volatile function is no condition of an index. */}}
{{define "beyond" -}}
(
	select max(b.global_position)
	from {{.Events}} as b
	where b.global_position > (
		select coalesce(pg_sequence_last_value('{{.Sequence}}'), (select last_value - 1 from {{.Sequence}}))
	)
)
{{- end}}

{{/* 0, or the end of the statement: where the sequence is behind the log, the next positions would come to lie below what
readers have passed. A statement cannot raise an error of its own; nothing else here takes a logarithm. */}}
{{define "sound" -}}
ln(case when {{template "beyond" .}} is null then 1 else 0 end::double precision)
{{- end}}

{{/* True where the sequence is still at or above a position that it gave out after the last look: then it is the one that was
looked at, and was not set back. */}}
{{define "drawn" -}}
pg_sequence_last_value('{{.Sequence}}') >= $drawn::bigint
{{- end}}

{{/* A sequence's row shows, for as long as nextval writes to the log, a value 32 positions ahead (nextval_internal in
sequence.c), and a scan reads rows unlocked. The function takes the lock. It is null before the first use: then nextval had
not begun when the row was read, a moment before. */}}
{{define "frontier" -}}
(
	select coalesce(pg_sequence_last_value('{{.Sequence}}'), last_value - 1) as position
	from {{.Sequence}}
) as drawn
cross join lateral (
	select min((l.classid::bigint << 32 | l.objid::bigint) & 281474976710655) as lowest
	from pg_locks as l
	where drawn.position is not null
	  and l.locktype = 'advisory'
	  and l.mode = 'ShareLock'
	  and l.granted
	  and l.objsubid = 1
	  and l.classid::bigint >> 16 = {{template "namespace" .}}
	  and l.database = (select oid from pg_database where datname = current_database())
) as held
{{- end}}

{{/* Where the log is one of many: its row, locked until the transaction ends, so that positions are committed in their order.
It is locked before any head is, so that transactions that append to several streams of a log cannot wait for each other. */}}
{{define "held" -}}
{{- if .Logs -}}
held as materialized (
	select l.position
	from {{.Logs}} as l
	where l.log = $log::text
	for no key update
), {{end}}
{{- end}}

{{/* The same for several logs, in the order of their names. */}}
{{define "held_all" -}}
{{- if .Logs -}}
held as materialized (
	select l.log
	from {{.Logs}} as l
	where l.log in (
		select g.log
		from given as g
	)
	order by l.log
	for no key update
), {{end}}
{{- end}}

{{/* Counts events: the argument is how many. settled is where the log was before the transaction that appends: its own events
are in flight until it commits. */}}
{{define "count" -}}
position = l.position + {{.}},
		settled = case when l.appended_by = pg_current_xact_id()::text::bigint then l.settled else l.position end,
		appended_by = pg_current_xact_id()::text::bigint
{{- end}}

{{/* What follows the head in an append. */}}
{{define "admitted"}}
{{- if .Logs}}
cross join counted
{{- else}}
where head.fence is not null
{{- if not .Looked}}
  and head.sound = 0
{{- end}}
{{- end}}
{{- end}}

{{/* What an event of an append is stored with behind its version, from arrays as e. */}}
{{define "values" -}}
e.event_id::uuid,
		e.event_type,
		e.event_version,
		{{.Stored "e.payload"}},
		e.trace_id,
		e.correlation_id,
		e.causation_id,
		e.metadata::json,
		e.created_at
{{- end}}

{{/* What the arrays hold. */}}
{{define "arrays" -}}
event_id,
		event_type,
		event_version,
		payload,
		trace_id,
		correlation_id,
		causation_id,
		metadata,
		created_at,
		ordinal
{{- end}}

{{/* The place of an event of an append to several streams of one of many logs; the one log gives it itself. */}}
{{define "counted_place"}}
{{- if .Logs}}
		counted.log,
		counted.position + row_number() over (partition by counted.log order by e.ordinal),
{{- end}}
{{- end}}

{{/* What follows the heads in an append to several streams. */}}
{{define "placed"}}
{{- if .Logs}}
	join counted
		on counted.log = before.log
{{- else}}
	where fence.held is not null
	  and fence.sound = 0
{{- end}}
	order by e.ordinal
{{- end}}

{{/* Notifies the channel that is the parameter named, if anything was stored; sent is what has the statement wait for it. */}}
{{define "notified" -}}
notified as (
	select pg_notify({{.}}::text, max(stored.global_position)::text)::text as sent
	from stored
	having count(*) > 0
)
{{- end}}

{{define "sent"}}
{{- if .Notify}}
cross join notified
where notified.sent is not null
{{- end}}
{{- end}}

{{/* Up to where a log of many can be read: what is committed, and not what the own transaction has appended. last is what it
has counted, and found what the log holds. One that was dropped is empty, even while its rows are being deleted. */}}
{{define "readable" -}}
(
	select
		coalesce(max(case when l.appended_by = pg_current_xact_id_if_assigned()::text::bigint then l.settled else l.position end), 0) as position,
		coalesce(max(l.position), 0) as last,
		coalesce((select max(e.global_position) from {{.Events}} as e where e.log = $log::text), 0) as found,
		coalesce(bool_or(l.dropped_at is not null), false) as dropped
	from {{.Logs}} as l
	where l.log = $log::text
) as readable
{{- end}}
