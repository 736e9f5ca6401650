-- eventmap: how far the log was at some times
with recursive search as (
	select
		t.at,
		0::bigint as low,
		coalesce((select max(e.global_position) from {{.Events}} as e), 0) as high
	from unnest($1::timestamptz[]) as t (at)
	union all
	select
		s.at,
		case when e.created_at < s.at then e.global_position else s.low end,
		case when e.created_at < s.at then greatest(s.high, e.global_position) else (s.low + s.high) / 2 end
	from search as s
	cross join lateral (
		select
			e.global_position,
			e.created_at
		from {{.Events}} as e
		where global_position > (s.low + s.high) / 2
		order by global_position
		limit 1
	) as e
	where s.low < s.high
)
select
	at,
	max(low)
from search
group by at
order by at
