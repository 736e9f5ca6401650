-- eventmap: inspect the types of aggregates
with recursive types as (
	(
		select aggregate_type
		from {{.Heads}}
		order by aggregate_type
		limit 1
	)
	union all
	select next.aggregate_type
	from types as t
	cross join lateral (
		select aggregate_type
		from {{.Heads}}
		where aggregate_type > t.aggregate_type
		order by aggregate_type
		limit 1
	) as next
)
select aggregate_type
from types
limit $1::bigint
