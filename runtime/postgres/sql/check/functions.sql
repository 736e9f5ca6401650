-- eventmap: check the functions of a table's triggers
select distinct
	f.oid::regprocedure::text,
	n.nspname::text,
	f.prosrc,
	pg_get_functiondef(f.oid),
	coalesce((
		-- A function that asks for the table's schema sets the path by itself.
		select substr(setting, length('search_path=') + 1)
		from unnest(f.proconfig) as setting
		where setting like 'search_path=%'
		  and f.prosrc not like '%set_config(''search_path''%tg_table_schema%'
		  and not exists (
			select
			from unnest(string_to_array(substr(setting, length('search_path=') + 1), ', ')) as known
			where known in (n.nspname, quote_ident(n.nspname), '"$user"')
		  )
	), '')
from pg_trigger as t
join pg_proc as f on f.oid = t.tgfoid
join pg_language as l on l.oid = f.prolang
join pg_class as c on c.oid = t.tgrelid
join pg_namespace as n on n.oid = c.relnamespace
where t.tgrelid = $1::bigint::oid
  and l.lanname in ('plpgsql', 'sql')
order by 1
