-- eventmap: save a checkpoint
update {{.Checkpoints}}
set position = ?3,
	handled = case when ?3 < (select max(value) from json_each(handled)) then handled end,
	failures = ?4,
	failed_position = ?5,
	last_error = ?6,
	retry_at = ?7,
	stopped_at = ?8,
	updated_at = ?9
where consumer = ?1
  and segment = ?2
