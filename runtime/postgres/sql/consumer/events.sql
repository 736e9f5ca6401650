-- eventmap: read events by position
select
	global_position,
	{{template "columns" .Read}}
from {{.Events}}
where {{.Of ""}}global_position = any ($1::bigint[])
order by global_position
