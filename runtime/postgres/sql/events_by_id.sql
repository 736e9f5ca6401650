-- eventmap: events by ID, in the order of the IDs
select
	global_position,
	{{template "columns" .Read}}
from unnest($1::text[]) with ordinality as given (id, ordinal)
join {{.Events}} on {{if .Logs}}log = any ($log::text[]) and {{end}}event_id = given.id::uuid
order by given.ordinal
