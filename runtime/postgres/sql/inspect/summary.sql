-- eventmap: inspect all consumers
select
	drawn.position,
	least(drawn.position, held.lowest),
	{{template "unreadable" .}},
	clock_timestamp(),
{{- if .End}}
	null::timestamptz,
{{- else}}
	(
		select min(a.xact_start)
		from pg_locks as l
		join pg_stat_activity as a on a.pid = l.pid
		where least(drawn.position, held.lowest) < drawn.position
		  and l.locktype = 'advisory'
		  and l.mode = 'ShareLock'
		  and l.granted
		  and l.objsubid = 1
		  and l.classid::bigint >> 16 = {{template "namespace" .}}
		  and l.database = (select oid from pg_database where datname = current_database())
	),
{{- end}}
	c.consumer,
	greatest(least(drawn.position, held.lowest) - c.lowest, 0),
	(
		select e.created_at
		from {{.Events}} as e
		where e.global_position > c.lowest
		  and e.global_position <= least(drawn.position, held.lowest)
		order by e.global_position
		limit 1
	),
	c.failing,
	c.stopped,
	(
		select count(*)
		from (
			select
			from {{.Parked}} as p
			where p.consumer = c.consumer
			limit $1::bigint
		) as counted
	)
from {{template "reach" .}}
left join (
	select
		consumer,
		min(position) as lowest,
		count(*) filter (where failures > 0 and stopped_at is null) as failing,
		count(*) filter (where stopped_at is not null) as stopped
	from {{.Checkpoints}} as k
	group by consumer
) as c on true
order by c.consumer
