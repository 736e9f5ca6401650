-- eventmap: replace the checkpoint of a segment
insert into {{.Checkpoints}} as c (consumer, segment, segments, position, handled)
values ($1::text, $2::integer, $3::integer, $4::bigint, $5::bigint[])
on conflict (consumer, segment) do update
set segments = excluded.segments,
	position = excluded.position,
	handled = excluded.handled,
	failures = 0,
	failed_position = null,
	last_error = null,
	retry_at = null,
	stopped_at = null,
	updated_at = clock_timestamp()
