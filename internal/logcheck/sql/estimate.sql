-- eventmap doctor: about how many events there are
select coalesce(sum(greatest(reltuples, 0)), 0)::bigint
from pg_class
where relkind = 'r'
  and oid in (
    select to_regclass('{{events}}')
    union all
    select relid from pg_partition_tree(to_regclass('{{events}}'))
  )
