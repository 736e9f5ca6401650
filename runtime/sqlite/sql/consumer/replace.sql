-- eventmap: replace the checkpoint of a segment
insert into {{.Checkpoints}} (consumer, segment, segments, position, handled, updated_at, replay_until, event_position, event_id)
values (
	?1,
	?2,
	?3,
	?4,
	?5,
	?6,
	?7,
	max(?4, coalesce((select max(value) from json_each(?5)), 0)),
	coalesce(
		(
			select e.event_id
			from {{.Events}} as e
			where e.global_position <= max(?4, coalesce((select max(value) from json_each(?5)), 0))
			order by e.global_position desc
			limit 1
		),
		{{template "nothing"}}
	)
)
on conflict (consumer, segment) do update
set segments = excluded.segments,
	position = excluded.position,
	handled = excluded.handled,
	failures = 0,
	failed_position = null,
	last_error = null,
	retry_at = null,
	stopped_at = null,
	updated_at = excluded.updated_at,
	replay_until = excluded.replay_until,
	event_position = excluded.event_position,
	event_id = excluded.event_id
