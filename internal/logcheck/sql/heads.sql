-- eventmap doctor: heads in the order of their streams
select
    aggregate_type,
    aggregate_id,
    aggregate_version
from {{heads}}
where {{of}}(aggregate_type, aggregate_id) > ($1::text, $2::text)
order by aggregate_type, aggregate_id
limit $3::integer
