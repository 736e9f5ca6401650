-- eventmap: frontier of the log
select
	set_config('eventmap.frontier', least(drawn.position, held.lowest)::text, true)::bigint as frontier,
	current_setting('transaction_isolation') as isolation,
	pg_is_in_recovery() as standby
from (
	select case when is_called then last_value else last_value - 1 end as position
	from {{.Sequence}}
) as drawn
cross join lateral (
	select min((l.classid::bigint << 32 | l.objid::bigint) & 281474976710655) as lowest
	from pg_locks as l
	where drawn.position is not null
	  and l.locktype = 'advisory'
	  and l.mode = 'ShareLock'
	  and l.granted
	  and l.objsubid = 1
	  and l.classid::bigint >> 16 = {{template "namespace" .}}
	  and l.database = (select oid from pg_database where datname = current_database())
) as held
