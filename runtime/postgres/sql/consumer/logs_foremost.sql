-- eventmap: the checkpoints of a consumer that matter most
select
	{{template "checkpoint" .}}
from (
	select c.*
	from {{.Checkpoints}} as c
	join {{.Logs}} as l
		on l.log = c.log
		and l.dropped_at is null
	where c.consumer = $1::text
	order by
		c.stopped_at is null,
		c.failures = 0,
		l.position - c.position desc,
		c.log
	limit $2::bigint
) as c
order by
	c.stopped_at is null,
	c.failures = 0,
	c.log
