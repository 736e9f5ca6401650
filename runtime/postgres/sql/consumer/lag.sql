-- eventmap: count what a consumer has not handled
select
	count(*),
	coalesce(extract(epoch from clock_timestamp() - min(e.created_at)), 0)::double precision
from (
	select created_at
	from {{.Events}}
	where {{template "selection" .}}
	order by global_position
	limit $3::bigint
) as e
