-- eventmap: how far the log was at some times
with recursive search (at, low, high) as (
	select
		value,
		0,
		coalesce((select max(global_position) from {{.Events}}), 0)
	from json_each(?1)
	union all
	select
		s.at,
		case when e.created_at < s.at then e.global_position else s.low end,
		case when e.created_at < s.at then max(s.high, e.global_position) else (s.low + s.high) / 2 end
	from search as s
	cross join {{.Events}} as e on e.global_position = (
		select min(global_position)
		from {{.Events}}
		where global_position > (s.low + s.high) / 2
	)
	where s.low < s.high
)
select
	at,
	max(low)
from search
group by at
order by at
