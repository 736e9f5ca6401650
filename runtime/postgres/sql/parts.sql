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
