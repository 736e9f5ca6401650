-- eventmap: inspect the frontier
select
	drawn.position,
	least(drawn.position, held.lowest),
	{{template "unreadable" .}},
	clock_timestamp()
from {{template "reach" .}}
