-- eventmap: frontier of the log
select
	set_config('eventmap.frontier', least(drawn.position, held.lowest)::text, true)::bigint as frontier,
	current_setting('transaction_isolation') as isolation,
	pg_is_in_recovery() as standby
from {{template "frontier" .}}
