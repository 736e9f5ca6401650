-- eventmap: is there anything to do for consumers of many logs
with wanted as materialized (
	select
		w.consumer,
		w.every,
		w.place
	from unnest($1::text[], $2::boolean[]) with ordinality as w (consumer, every, place)
), named as materialized (
	select
		n.consumer,
		n.log
	from unnest($3::text[], $4::text[]) as n (consumer, log)
), standing as materialized (
	select
		w.consumer,
		l.log,
		l.position as ends,
		c.position,
		c.stopped_at,
		c.retry_at,
		c.updated_at
	from wanted as w
	cross join {{.Logs}} as l
	left join {{.Checkpoints}} as c
		on c.consumer = w.consumer
		and c.log = l.log
	where l.dropped_at is null
	  and (w.every or (w.consumer, l.log) in (
		select
			n.consumer,
			n.log
		from named as n
	  ))
), due as (
	select
		s.consumer,
		s.log,
		row_number() over (partition by s.consumer order by s.ends - s.position desc, s.log) as place
	from standing as s
	where s.position < s.ends
	  and s.stopped_at is null
	  and {{template "due"}}
)
select
	w.consumer,
	exists (
		select
		from {{.Checkpoints}} as c
		where c.consumer = w.consumer
		  and c.log = ''
	),
	coalesce(sum(s.ends), 0)::bigint,
	coalesce(sum(s.position), 0)::bigint,
	count(s.log) filter (where s.position is null),
	coalesce(min(s.log) filter (where s.position > s.ends), ''),
	coalesce(bool_or(s.stopped_at is not null), false),
	coalesce(
		extract(epoch from min(s.retry_at) filter (where s.stopped_at is null and not {{template "due"}}) - clock_timestamp()),
		-1
	)::double precision,
	coalesce((
		select json_agg(d.log order by d.place)::text
		from due as d
		where d.consumer = w.consumer
		  and d.place <= $5::bigint
	), '[]')
from wanted as w
left join standing as s
	on s.consumer = w.consumer
group by
	w.consumer,
	w.place
order by w.place
