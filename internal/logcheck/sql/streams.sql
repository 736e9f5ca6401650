-- eventmap doctor: events in the order of their streams
select
    aggregate_type,
    aggregate_id,
    aggregate_version,
    global_position
from {{events}}
where {{of}}(aggregate_type, aggregate_id, aggregate_version) > ($1::text, $2::text, $3::bigint)
order by aggregate_type, aggregate_id, aggregate_version
limit $4::integer
