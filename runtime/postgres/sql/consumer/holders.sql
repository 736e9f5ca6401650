-- eventmap: who holds the frontier back
select
	(l.classid::bigint << 32 | l.objid::bigint) & 281474976710655,
	coalesce(l.pid, 0),
	coalesce(a.application_name, ''),
	coalesce(a.usename, p.owner, ''),
	case when p.gid is not null then 'prepared transaction ' || p.gid else coalesce(a.state, '') end,
	coalesce(a.xact_start, p.prepared)
from pg_locks as l
left join pg_stat_activity as a on a.pid = l.pid
left join pg_locks as x on l.pid is null
	and x.pid is null
	and x.locktype = 'transactionid'
	and x.mode = 'ExclusiveLock'
	and x.virtualtransaction = l.virtualtransaction
left join pg_prepared_xacts as p on p.transaction = x.transactionid
where l.locktype = 'advisory'
  and l.mode = 'ShareLock'
  and l.granted
  and l.objsubid = 1
  and l.classid::bigint >> 16 = {{template "namespace" .}}
  and l.database = (select oid from pg_database where datname = current_database())
order by 1, 2
limit $1::bigint
