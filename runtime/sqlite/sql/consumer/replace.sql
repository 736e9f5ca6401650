-- eventmap: replace the checkpoint of a segment
insert into {{.Checkpoints}} (consumer, segment, segments, position, handled, updated_at)
values (?1, ?2, ?3, ?4, ?5, ?6)
on conflict (consumer, segment) do update
set segments = excluded.segments,
	position = excluded.position,
	handled = excluded.handled,
	failures = 0,
	failed_position = null,
	last_error = null,
	retry_at = null,
	stopped_at = null,
	updated_at = excluded.updated_at
