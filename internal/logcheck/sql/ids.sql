-- eventmap doctor: events in the order of their IDs
select
    event_id,
    global_position
from {{events}}
where event_id >= $1::uuid
  and (event_id, global_position) > ($1::uuid, $2::bigint)
order by event_id, global_position
limit $3::integer
