-- eventmap: inspect the checkpoints
with locker as materialized (
	select
		l.transactionid,
		l.pid
	from pg_locks as l
	where l.locktype = 'transactionid'
	  and l.mode = 'ExclusiveLock'
	  and l.granted
)
select
	c.consumer,
	'',
	c.segment,
	c.segments,
	c.position,
	coalesce(array_to_string(c.handled, ','), ''),
	c.failures,
	coalesce(c.failed_position, 0),
	coalesce(c.last_error, ''),
	c.retry_at,
	c.stopped_at,
	c.updated_at,
	c.replay_until,
	{{template "astray" .}},
	0::bigint,
	(
		select e.created_at
		from {{.Events}} as e
		where e.global_position > c.position
		order by e.global_position
		limit 1
	),
	{{template "session" .}}
from {{.Checkpoints}} as c
left join locker as l on l.transactionid = c.xmax
left join pg_stat_activity as a on a.pid = l.pid
where $1::text is null or c.consumer = $1::text
order by
	c.consumer,
	c.segment
limit $2::bigint
