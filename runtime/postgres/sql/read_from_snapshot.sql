-- eventmap: read a snapshot and the events after it
with head as materialized (
	select coalesce((
		select h.aggregate_version
		from {{.Heads}} as h
		where {{.Of "h"}}h.aggregate_type = $1::text
		  and h.aggregate_id = $2::text
	), 0) as aggregate_version
), snapshot as materialized (
	select
		s.aggregate_version,
		s.state
	from {{.Snapshots}} as s
	join head
		on s.aggregate_version <= head.aggregate_version
	where {{.Of "s"}}s.aggregate_type = $1::text
	  and s.aggregate_id = $2::text
	  and s.fingerprint = $3::text
)
-- The first row has the form of an event: the head's version stands for its position, and the state for its payload. After it
-- comes the last event that is in the state, for its ID, if it is there: a look of its own for that costs more. The names of the
-- stream are known, and so are not sent with each row.
select
	head.aggregate_version as global_position,
	null::text as aggregate_type,
	null::text as aggregate_id,
	coalesce(snapshot.aggregate_version, 0) as aggregate_version,
	'00000000-0000-0000-0000-000000000000'::uuid as event_id,
	'' as event_type,
	0 as event_version,
	{{.State}} as payload,
	null::text as trace_id,
	null::text as correlation_id,
	null::text as causation_id,
	null::json as metadata,
	'epoch'::timestamptz as created_at
from head
left join snapshot
	on true
union all
(
	select
		e.global_position,
		null,
		null,
		e.aggregate_version,
		e.event_id,
		e.event_type,
		e.event_version,
		{{.Read}},
		e.trace_id,
		e.correlation_id,
		e.causation_id,
		e.metadata::json,
		e.created_at
	from {{.Events}} as e
	where {{.Of "e"}}e.aggregate_type = $1::text
	  and e.aggregate_id = $2::text
	  and e.aggregate_version >= coalesce((select snapshot.aggregate_version from snapshot), 0)
	order by e.aggregate_version
	-- A limit that the planner does not know: it takes it that few rows are wanted, and so reads the index in order.
	limit (select $4::bigint)
)
