-- eventmap: create the checkpoints of a consumer for the logs that are new to it
with first as (
	insert into {{.Checkpoints}} (consumer, log)
	values ($1::text, '')
	on conflict (consumer, log) do nothing
	returning consumer
), itself as (
	select
		c.stopped_at,
		c.last_error
	from {{.Checkpoints}} as c
	where c.consumer = $1::text
	  and c.log = ''
), fresh as (
	-- Where it starts holds for the logs that there are when it first runs; later ones are new as a whole.
	select
		l.log,
		case when exists (select from first) then l.position else 0 end as ends,
		case
			when not exists (select from first) then 0
			when $4::text = 'now' then l.position
			when $5::timestamptz is not null then coalesce((
				select min(e.global_position) - 1
				from {{.Events}} as e
				where e.log = l.log
				  and e.created_at >= $5::timestamptz
			), l.position)
			else 0
		end as position
	from {{.Logs}} as l
	where l.dropped_at is null
	  and ($2::boolean or l.log = any ($3::text[]))
	  and not exists (
		select
		from {{.Checkpoints}} as c
		where c.consumer = $1::text
		  and c.log = l.log
	  )
)
insert into {{.Checkpoints}} (consumer, log, position, event_id, event_position, replay_until, stopped_at, last_error)
select
	$1::text,
	f.log,
	f.position,
	coalesce(
		(
			select e.event_id
			from {{.Events}} as e
			where e.log = f.log
			  and e.global_position <= f.position
			order by e.global_position desc
			limit 1
		),
		{{template "nothing"}}
	),
	f.position,
	f.ends,
	i.stopped_at,
	i.last_error
from fresh as f
left join itself as i on true
order by f.log
on conflict (consumer, log) do nothing
