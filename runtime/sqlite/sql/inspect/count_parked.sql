-- eventmap: count parked events of each consumer
with recursive parking (consumer) as (
	select min(consumer)
	from {{.Parked}}
	union all
	select (
		select min(e.consumer)
		from {{.Parked}} as e
		where e.consumer > p.consumer
	)
	from parking as p
	where p.consumer is not null
)
select
	p.consumer,
	(
		select count(*)
		from (
			select 1
			from {{.Parked}} as e
			where e.consumer = p.consumer
			limit ?1
		)
	)
from parking as p
where p.consumer is not null
