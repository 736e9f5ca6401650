-- eventmap: inspect the types of aggregates
with recursive types (aggregate_type, place) as (
	select
		min(aggregate_type),
		1
	from {{.Events}}
	union all
	select
		(
			select min(e.aggregate_type)
			from {{.Events}} as e
			where e.aggregate_type > t.aggregate_type
		),
		t.place + 1
	from types as t
	where t.aggregate_type is not null
	  and t.place < ?1
)
select aggregate_type
from types
where aggregate_type is not null
order by aggregate_type
