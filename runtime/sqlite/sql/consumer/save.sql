-- eventmap: save a checkpoint
update {{.Checkpoints}}
set position = ?3,
	handled = case when ?3 < (select max(value) from json_each(handled)) then handled end,
	failures = ?4,
	failed_position = ?5,
	last_error = ?6,
	retry_at = ?7,
	stopped_at = ?8,
	updated_at = ?9,
	event_position = max(?3, coalesce((select max(value) from json_each(handled)), 0)),
	event_id = coalesce(
		(
			select e.event_id
			from {{.Events}} as e
			where e.global_position <= max(?3, coalesce((select max(value) from json_each(handled)), 0))
			order by e.global_position desc
			limit 1
		),
		{{template "nothing"}}
	)
where consumer = ?1
  and segment = ?2
