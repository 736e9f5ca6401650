-- eventmap: read the log for a consumer
select
	global_position,
	{{template "columns"}}
from {{.Events}}
where global_position > ?1
  and global_position <= ?2
  and {{template "types"}}
order by global_position
limit ?3
