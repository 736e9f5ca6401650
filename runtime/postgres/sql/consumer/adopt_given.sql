-- eventmap: create the checkpoints of a consumer for those of the given logs that are new to it
insert into {{.Checkpoints}} (consumer, log, position, replay_until, event_id, event_position, stopped_at, last_error)
select
	$1::text,
	f.log,
	f.position,
	f.ends,
	f.event_id::uuid,
	f.position,
	i.stopped_at,
	i.last_error
from unnest($2::text[], $3::bigint[], $4::bigint[], $5::text[]) as f (log, position, ends, event_id)
left join {{.Checkpoints}} as i
	on i.consumer = $1::text
	and i.log = ''
where not exists (
	select
	from {{.Checkpoints}} as c
	where c.consumer = $1::text
	  and c.log = f.log
)
on conflict (consumer, log) do nothing
