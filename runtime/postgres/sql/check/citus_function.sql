-- eventmap: check that Citus delegates the function that appends
select coalesce(bool_or(d.distribution_argument_index = 0 and d.force_delegation and d.colocationid = $3::bigint), false)
from pg_proc as p
join pg_dist_object as d
	on d.classid = 'pg_proc'::regclass
	and d.objid = p.oid
where p.proname = $1::text
  and p.pronamespace = coalesce(
	to_regnamespace(nullif($2::text, ''))::oid,
	(select c.relnamespace from pg_class as c where c.oid = to_regclass($4::text))
  )
