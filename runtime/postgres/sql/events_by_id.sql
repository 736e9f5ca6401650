-- eventmap: events by ID, in the order of the IDs
select
	e.global_position,
	{{template "columns" "e."}}
from unnest($1::text[]) with ordinality as given (event_id, ordinal)
join {{.Events}} as e on e.event_id = given.event_id::uuid
order by given.ordinal
