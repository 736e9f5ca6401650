-- eventmap: events by ID, in the order of the IDs
select
	global_position,
	{{template "columns"}}
from json_each(?1) as given
join {{.Events}} on event_id = given.value
order by given.key
