-- eventmap doctor: the logs that hold events, or have counted some
with recursive held as (
    (
        select log
        from {{events}}
        order by log
        limit 1
    )
    union all
    select (
        select e.log
        from {{events}} as e
        where e.log > h.log
        order by e.log
        limit 1
    )
    from held as h
    where h.log is not null
)
select log
from held
where log is not null
  and log not in (
    select log
    from {{logs}}
    where dropped_at is not null
  )
union
select log
from {{logs}}
where position > 0
order by log
