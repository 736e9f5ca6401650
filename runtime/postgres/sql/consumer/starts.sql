-- eventmap: where a consumer that runs for the first time starts in each log
select
	l.log,
	l.position,
	case
		when $3::text = 'now' then l.position
		when $4::timestamptz is not null then coalesce(s.position, l.position)
		else 0
	end
from {{.Logs}} as l
left join (
	select
		e.log,
		min(e.global_position) - 1 as position
	from {{.Events}} as e
	where e.created_at >= $4::timestamptz
	group by e.log
) as s on s.log = l.log
where l.dropped_at is null
  and ($1::boolean or l.log = any ($2::text[]))
