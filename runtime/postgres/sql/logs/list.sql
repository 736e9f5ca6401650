-- eventmap: list the logs
select
	l.log,
	l.position,
	l.dropped_at
from {{.Logs}} as l
where l.log > $1::text
order by l.log
limit $2::bigint
