-- eventmap: read several streams{{if .FromSnapshots}} from their snapshots{{end}}
with given as materialized (
	select
		g.aggregate_type,
		g.aggregate_id,
		g.after,
		g.fingerprint{{if .Logs}},
		{{.LogOf "g.aggregate_id"}} as log{{end}}
	from unnest(
		$1::text[],
		$2::text[],
		$3::bigint[],
		$4::text[]
	) as g (
		aggregate_type,
		aggregate_id,
		after,
		fingerprint
	)
), beginning as materialized (
	select
		{{.ItsLog "g"}}g.aggregate_type,
		g.aggregate_id,
		coalesce(h.aggregate_version, 0) as head,
{{- if .FromSnapshots}}
		coalesce(snapshot.aggregate_version, g.after) as after,
		{{.State}} as state
{{- else}}
		g.after,
		null::{{.ReadAs}} as state
{{- end}}
	from given as g
	left join {{.Heads}} as h
		on {{.Same "h" "g"}}h.aggregate_type = g.aggregate_type
		and h.aggregate_id = g.aggregate_id
{{- if .FromSnapshots}}
	left join {{.Snapshots}} as snapshot
		on {{.Same "snapshot" "g"}}snapshot.aggregate_type = g.aggregate_type
		and snapshot.aggregate_id = g.aggregate_id
		and snapshot.fingerprint = g.fingerprint
		and snapshot.aggregate_version <= h.aggregate_version
{{- end}}
)
-- The first row of a stream has the form of an event, and the event that is in a state last comes after it, as in
-- read_from_snapshot.sql.
select
	b.head as global_position,
	b.aggregate_type,
	b.aggregate_id,
	b.after as aggregate_version,
	'00000000-0000-0000-0000-000000000000'::uuid as event_id,
	'' as event_type,
	0 as event_version,
	b.state as payload,
	null::text as trace_id,
	null::text as correlation_id,
	null::text as causation_id,
	null::json as metadata,
	'epoch'::timestamptz as created_at
from beginning as b
union all
select e.*
from beginning as b
cross join lateral (
	select
		e.global_position,
		e.aggregate_type,
		e.aggregate_id,
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
	where {{.Same "e" "b"}}e.aggregate_type = b.aggregate_type
	  and e.aggregate_id = b.aggregate_id
	  and e.aggregate_version >{{if .FromSnapshots}}={{end}} b.after
	order by e.aggregate_version
	limit (select $5::bigint) -- see read_from_snapshot.sql
) as e
