-- eventmap: inspect parked events
select
	p.consumer,
	p.aggregate_type,
	p.aggregate_id,
	p.global_position,
	p.attempts,
	p.error,
	p.parked_at,
	coalesce(e.event_type, ''),
	coalesce(e.event_version, 0),
	coalesce(e.aggregate_version, 0),
	coalesce(e.created_at, '')
from (
	select *
	from {{.Parked}}
	where (consumer, global_position) > (?1, ?2)
	{{- if .Typed}}
	  and consumer = ?1
	{{- end}}
	  and (?4 is null or global_position = ?4)
	order by
		consumer,
		global_position
	limit ?3
) as p
left join {{.Events}} as e on e.global_position = p.global_position
order by
	p.consumer,
	p.global_position
