-- eventmap: check that logs end where they have counted to
select
	l.log,
	l.position,
	coalesce(e.found, 0)
from {{.Logs}} as l
cross join lateral (
	select max(e.global_position) as found
	from {{.Events}} as e
	where e.log = l.log
) as e
where l.position <> coalesce(e.found, 0)
order by l.log
limit 20
