-- eventmap: the logs that were appended to most
select l.log
from {{.Logs}} as l
where l.position > 0
order by
	l.position desc,
	l.log
limit 20
