-- eventmap: inspect the frontier
select
	drawn.position,
	least(drawn.position, held.lowest),
	pg_is_in_recovery(),
	clock_timestamp()
from {{template "frontier" .}}
