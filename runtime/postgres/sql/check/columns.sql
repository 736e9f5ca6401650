-- eventmap: check the columns of a table
select
	a.attname::text,
	format_type(a.atttypid, a.atttypmod),
	a.attnotnull,
	a.attidentity <> '' or a.atthasdef,
	coalesce(c.collname::text, ''),
	coalesce(c.collisdeterministic, true)
from pg_attribute as a
left join pg_collation as c on c.oid = a.attcollation
where a.attrelid = $1::bigint::oid
  and a.attnum > 0
  and not a.attisdropped
order by a.attnum
