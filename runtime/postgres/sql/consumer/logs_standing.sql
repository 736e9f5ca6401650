-- eventmap: how a consumer stands in all logs together
select
	count(*),
	count(*) filter (where c.position < l.position),
	count(*) filter (where c.stopped_at is not null),
	coalesce(sum(l.position - c.position) filter (where c.position < l.position), 0)::bigint
from {{.Checkpoints}} as c
join {{.Logs}} as l
	on l.log = c.log
	and l.dropped_at is null
where c.consumer = $1::text
