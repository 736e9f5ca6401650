-- eventmap: read events by position
select
	global_position,
	{{template "columns"}}
from {{.Events}}
where global_position in (select value from json_each(?1))
order by global_position
