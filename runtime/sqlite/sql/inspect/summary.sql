-- eventmap: inspect all consumers
select
	l.drawn,
	coalesce(c.consumer, ''),
	coalesce(max(l.drawn - c.lowest, 0), 0),
	coalesce((
		select e.created_at
		from {{.Events}} as e
		where e.global_position > c.lowest
		order by e.global_position
		limit 1
	), ''),
	coalesce(c.failing, 0),
	coalesce(c.stopped, 0),
	(
		select count(*)
		from (
			select 1
			from {{.Parked}} as p
			where p.consumer = c.consumer
			limit ?1
		)
	)
from (select {{template "frontier" .}} as drawn) as l
left join (
	select
		consumer,
		min(position) as lowest,
		count(*) filter (where failures > 0 and stopped_at is null) as failing,
		count(*) filter (where stopped_at is not null) as stopped
	from {{.Checkpoints}}
	group by consumer
) as c
order by c.consumer
