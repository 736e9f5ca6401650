-- eventmap: append {{if .Creates}}to a new or any stream{{else}}to an existing stream{{end}}
with head as (
{{- if .Creates}}
	insert into {{.Heads}} as h (aggregate_type, aggregate_id, aggregate_version)
	values ($1::text, $2::text, $5::bigint)
	on conflict (aggregate_type, aggregate_id) do update
	set aggregate_version = h.aggregate_version + excluded.aggregate_version
	where h.aggregate_version between $3::bigint and $4::bigint
	returning h.aggregate_version
{{- else}}
	update {{.Heads}} as h
	set aggregate_version = h.aggregate_version + $5::bigint
	where h.aggregate_type = $1::text
	  and h.aggregate_id = $2::text
	  and h.aggregate_version between $3::bigint and $4::bigint
	returning h.aggregate_version
{{- end}}
), fence as materialized (
	select
		head.aggregate_version - $5::bigint as aggregate_version,
		{{template "hold" .}} as held
	from head
	cross join lateral (
		select {{template "drawn"}} as position
		from {{.Sequence}}
		where head.aggregate_version is not null
	) as drawn
){{if .Notify}}, stored as ({{else}}
{{end}}
insert into {{.Events}} (
	{{template "columns" ""}}
)
select
	$1::text,
	$2::text,
	fence.aggregate_version + e.ordinal,
	e.event_id::uuid,
	e.event_type,
	e.event_version,
	e.payload,
	e.trace_id,
	e.correlation_id,
	e.causation_id,
	e.metadata::json,
	e.created_at
from fence
cross join unnest(
	$6::text[],
	$7::text[],
	$8::integer[],
	$9::bytea[],
	$10::text[],
	$11::text[],
	$12::text[],
	$13::text[],
	$14::timestamptz[]
) with ordinality as e (
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
)
where fence.held is not null
order by e.ordinal
returning global_position, aggregate_version
{{- if .Notify}}
), notified as (
	select pg_notify($15::text, max(stored.global_position)::text)::text as sent
	from stored
	having count(*) > 0
)
select
	stored.global_position,
	stored.aggregate_version
from stored
cross join notified
where notified.sent is not null
{{- end}}
