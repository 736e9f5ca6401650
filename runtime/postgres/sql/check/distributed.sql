-- eventmap: check whether Citus distributes a table
select d.logicalrelid::regclass::text
from pg_dist_partition as d
where d.logicalrelid::regclass in (to_regclass($1::text), to_regclass($2::text))
order by 1
