-- eventmap: how far logs are
select
	l.log,
	l.position
from {{.Logs}} as l
where l.dropped_at is null
  and ($1::boolean or l.log = any ($2::text[]))
