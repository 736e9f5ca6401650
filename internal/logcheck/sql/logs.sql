-- eventmap doctor: the logs that hold events, or have counted some
select held.log
from (
    select e.log
    from {{events}} as e
    group by e.log
    union
    select l.log
    from {{logs}} as l
    where l.position > 0
) as held
where not exists (
    select
    from {{logs}} as d
    where d.log = held.log
      and d.dropped_at is not null
)
order by held.log
