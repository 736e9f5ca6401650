-- eventmap: check the columns of a table
select
	a.attname::text,
	format_type(a.atttypid, a.atttypmod),
	a.attnotnull,
	a.attidentity <> '' or a.atthasdef
from pg_attribute as a
where a.attrelid = $1::bigint::oid
  and a.attnum > 0
  and not a.attisdropped
order by a.attnum
