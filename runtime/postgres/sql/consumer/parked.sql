-- eventmap: read parked events
select
	aggregate_type,
	aggregate_id,
	global_position,
	attempts,
	error,
	parked_at
from {{.Parked}}
where consumer = $1::text
  and global_position > $2::bigint
  and ($4::text is null or aggregate_type = $4::text)
  and ($5::text is null or aggregate_id = $5::text)
order by global_position
limit $3::bigint
