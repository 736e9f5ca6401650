-- eventmap: inspect the checkpoints
select
	{{template "checkpoint" .}},
	c.consumer,
	coalesce((
		select e.created_at
		from {{.Events}} as e
		where e.global_position > c.position
		order by e.global_position
		limit 1
	), '')
from {{.Checkpoints}} as c
where ?1 is null or c.consumer = ?1
order by
	c.consumer,
	c.segment
limit ?2
