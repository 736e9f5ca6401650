-- eventmap: check how Citus distributes tables
select
	t.ordinal::bigint,
	d.partmethod::text,
	coalesce(column_to_column_name(d.logicalrelid, d.partkey), ''),
	d.colocationid::bigint
from unnest($1::text[]) with ordinality as t (name, ordinal)
join pg_dist_partition as d
	on d.logicalrelid::oid = to_regclass(t.name)::oid
order by t.ordinal
