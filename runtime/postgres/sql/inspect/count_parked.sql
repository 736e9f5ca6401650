-- eventmap: count parked events of each consumer
with recursive parking as (
	(
		select e.consumer
		from {{.Parked}} as e
		order by e.consumer
		limit 1
	)
	union all
	select next.consumer
	from parking as p
	cross join lateral (
		select e.consumer
		from {{.Parked}} as e
		where e.consumer > p.consumer
		order by e.consumer
		limit 1
	) as next
)
select
	p.consumer,
	(
		select count(*)
		from (
			select
			from {{.Parked}} as e
			where e.consumer = p.consumer
			limit $1::bigint
		) as counted
	)
from parking as p
