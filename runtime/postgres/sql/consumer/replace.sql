-- eventmap: replace the checkpoint of a segment
insert into {{.Checkpoints}} as c (consumer, segment, segments, position, handled, replay_until, event_position, event_id)
select
	$1::text,
	$2::integer,
	$3::integer,
	$4::bigint,
	$5::bigint[],
	$6::bigint,
	reached.position,
	coalesce(
		(
			select e.event_id
			from {{.Events}} as e
			where e.global_position <= reached.position
			order by e.global_position desc
			limit 1
		),
		{{template "nothing"}}
	)
from (
	select greatest($4::bigint, (select max(h.position) from unnest($5::bigint[]) as h (position))) as position
) as reached
on conflict (consumer, segment) do update
set segments = excluded.segments,
	position = excluded.position,
	handled = excluded.handled,
	failures = 0,
	failed_position = null,
	last_error = null,
	retry_at = null,
	stopped_at = null,
	updated_at = clock_timestamp(),
	replay_until = excluded.replay_until,
	event_position = excluded.event_position,
	event_id = excluded.event_id
