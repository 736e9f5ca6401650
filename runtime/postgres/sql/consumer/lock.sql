-- eventmap: lock a consumer against changes of its segments
select segments
from {{.Checkpoints}}
where consumer = $1::text
  and segment = 0
for update
