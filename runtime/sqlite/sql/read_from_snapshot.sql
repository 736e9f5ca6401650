-- eventmap: read a snapshot and the events after it
with head as materialized (
	select coalesce(max(aggregate_version), 0) as aggregate_version
	from {{.Events}}
	where aggregate_type = ?1
	  and aggregate_id = ?2
), snapshot as materialized (
	select
		s.aggregate_version,
		s.state
	from {{.Snapshots}} as s
	join head
		on s.aggregate_version <= head.aggregate_version
	where s.aggregate_type = ?1
	  and s.aggregate_id = ?2
	  and s.fingerprint = ?3
)
-- The first row has the form of an event: the head's version stands for its position, and the state for its payload. After it
-- comes the last event that is in the state, for its ID, if it is there.
select
	head.aggregate_version as global_position,
	?1 as aggregate_type,
	?2 as aggregate_id,
	coalesce(snapshot.aggregate_version, 0) as aggregate_version,
	'00000000-0000-0000-0000-000000000000' as event_id,
	'' as event_type,
	0 as event_version,
	snapshot.state as payload,
	null as trace_id,
	null as correlation_id,
	null as causation_id,
	null as metadata,
	'1970-01-01T00:00:00.000000Z' as created_at
from head
left join snapshot
	on true
union all
select *
from (
	select
		global_position,
		{{template "columns"}}
	from {{.Events}}
	where aggregate_type = ?1
	  and aggregate_id = ?2
	  and aggregate_version >= coalesce((select snapshot.aggregate_version from snapshot), 0)
	order by aggregate_version
)
