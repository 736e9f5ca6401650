-- eventmap: check the functions of a table's triggers
select distinct
	f.oid::regprocedure::text,
	n.nspname::text,
	f.prosrc,
	pg_get_functiondef(f.oid)
from pg_trigger as t
join pg_proc as f on f.oid = t.tgfoid
join pg_language as l on l.oid = f.prolang
join pg_class as c on c.oid = t.tgrelid
join pg_namespace as n on n.oid = c.relnamespace
where t.tgrelid = $1::bigint::oid
  and l.lanname in ('plpgsql', 'sql')
order by 1
