-- eventmap: stop a consumer
update {{.Checkpoints}}
set
	failures = 0,
	failed_position = null,
	last_error = $2::text,
	retry_at = null,
	stopped_at = {{template "clock" .}},
	updated_at = {{template "clock" .}}
where consumer = $1::text
  and stopped_at is null
