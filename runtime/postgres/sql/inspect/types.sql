-- eventmap: inspect the types of aggregates
with recursive types as (
	(
		select h.aggregate_type
		from {{.Heads}} as h
		order by h.aggregate_type
		limit 1
	)
	union all
	select next.aggregate_type
	from types as t
	cross join lateral (
		select h.aggregate_type
		from {{.Heads}} as h
		where h.aggregate_type > t.aggregate_type
		order by h.aggregate_type
		limit 1
	) as next
)
select aggregate_type
from types
limit $1::bigint
