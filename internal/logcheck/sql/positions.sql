-- eventmap doctor: events in the order of the log
select
    global_position,
    created_at
from {{events}}
where {{of}}global_position > $1::bigint
order by global_position
limit $2::integer
