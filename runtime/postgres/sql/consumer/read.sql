-- eventmap: read the log for a consumer
select
	global_position,
	{{template "columns" .Read}}
from {{.Events}}
where {{template "selection" .}}
order by global_position
limit $3::bigint
