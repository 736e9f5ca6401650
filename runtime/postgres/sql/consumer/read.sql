-- eventmap: read the log for a consumer
select
	global_position,
	{{template "columns" .Read}}
from (
	select
		global_position,
		{{template "columns" "payload"}},
		size,
		sum(size) over (order by global_position rows unbounded preceding) as total
	from {{.Events}}
	cross join lateral (
		select {{template "size" .}} as size
	) as s
	where {{template "selection" .}}
	order by global_position
	limit $3::bigint
) as page
where total <= $8::bigint
   or total = size
order by global_position
