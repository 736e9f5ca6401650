-- eventmap doctor: the head of a stream and its last event, at one moment
select
    coalesce((
        select aggregate_version
        from {{heads}}
        where {{of}}aggregate_type = $1::text
          and aggregate_id = $2::text
    ), 0),
    coalesce((
        select max(aggregate_version)
        from {{events}}
        where {{of}}aggregate_type = $1::text
          and aggregate_id = $2::text
    ), 0)
