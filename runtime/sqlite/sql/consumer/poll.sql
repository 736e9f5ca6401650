-- eventmap: is there anything to do for consumers
select
	{{template "frontier" .}},
	{{template "behind" .}},
	coalesce(c.consumer, ''),
	coalesce(min(c.position), 0),
	coalesce(max(c.position), 0),
	coalesce(min(c.position) filter (where c.stopped_at is null and {{template "due"}}), -1),
	coalesce(max(c.stopped_at is not null), 0),
	coalesce(min(c.retry_at) filter (where c.stopped_at is null and not {{template "due"}}), '')
from (select 1)
left join {{.Checkpoints}} as c on c.consumer in (select value from json_each(?1))
group by c.consumer
