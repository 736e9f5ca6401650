-- eventmap: create the checkpoints of a consumer
with named as (
	select coalesce(
		(
			select e.event_id
			from {{.Events}} as e
			where e.global_position <= $3::bigint
			order by e.global_position desc
			limit 1
		),
		{{template "nothing"}}
	) as event_id
),
first as (
	insert into {{.Checkpoints}} (consumer, segment, segments, position, event_id, event_position, replay_until)
	select $1::text, 0, $2::integer, $3::bigint, named.event_id, $3::bigint, $4::bigint
	from named
	on conflict (consumer, segment) do nothing
	returning segment
)
insert into {{.Checkpoints}} (consumer, segment, segments, position, event_id, event_position, replay_until)
select
	$1::text,
	s.segment,
	$2::integer,
	$3::bigint,
	named.event_id,
	$3::bigint,
	$4::bigint
from first
cross join named
cross join generate_series(1, $2::integer - 1) as s (segment)
