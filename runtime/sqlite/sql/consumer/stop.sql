-- eventmap: stop a consumer
update {{.Checkpoints}}
set
	failures = 0,
	failed_position = null,
	last_error = ?2,
	retry_at = null,
	stopped_at = ?3,
	updated_at = ?3
where consumer = ?1
  and stopped_at is null
