-- eventmap: check the unique keys of a table
select
	string_agg(a.attname::text, ', ' order by k.ordinal)
from pg_index as i
cross join unnest(i.indkey::smallint[]) with ordinality as k (attnum, ordinal)
join pg_attribute as a
	on a.attrelid = i.indrelid
	and a.attnum = k.attnum
where i.indrelid = $1::bigint::oid
  and i.indisunique
  and i.indisvalid
  and i.indimmediate
  and i.indpred is null
  and k.ordinal <= i.indnkeyatts
group by i.indexrelid
order by i.indexrelid
