-- eventmap: count what a consumer has not handled
select
	global_position,
	aggregate_id,
	created_at
from {{.Events}}
where global_position > ?1
  and global_position <= ?2
  and {{template "types"}}
order by global_position
limit ?3
