-- eventmap: inspect the head of a stream
select coalesce(max(aggregate_version), 0)
from {{.Events}}
where aggregate_type = ?1
  and aggregate_id = ?2
