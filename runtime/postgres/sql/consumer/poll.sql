-- eventmap: is there anything to do for consumers
select
	drawn.position,
	least(drawn.position, held.lowest),
	pg_is_in_recovery(),
	{{template "beyond" .}} is not null,
	coalesce(c.consumer, ''),
	coalesce(c.lowest, 0),
	coalesce(c.highest, 0),
	coalesce(c.lowest_due < least(drawn.position, held.lowest), false),
	coalesce(c.stopped, false),
	coalesce(extract(epoch from c.retry_at - clock_timestamp()), -1)::double precision
from {{template "frontier" .}}
left join (
	select
		consumer,
		min(position) as lowest,
		max(position) as highest,
		min(position) filter (where stopped_at is null and {{template "due"}}) as lowest_due,
		bool_or(stopped_at is not null) as stopped,
		min(retry_at) filter (where stopped_at is null and not {{template "due"}}) as retry_at
	from {{.Checkpoints}}
	where consumer = any ($1::text[])
	group by consumer
) as c on true
