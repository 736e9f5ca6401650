-- eventmap: read parked events
select
	aggregate_type,
	aggregate_id,
	global_position,
	attempts,
	error,
	parked_at
from {{.Parked}}
where consumer = ?1
  and global_position > ?2
  and (?4 is null or aggregate_type = ?4)
  and (?5 is null or aggregate_id = ?5)
order by global_position
limit ?3
