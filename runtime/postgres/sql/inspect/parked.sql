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
	e.created_at
from (
	select *
	from {{.Parked}} as p
	where (consumer, global_position) > ($1::text, $2::bigint)
	{{- if .Typed}}
	  and consumer = $1::text
	{{- end}}
	  and ($4::bigint is null or global_position = $4::bigint)
	order by
		consumer,
		global_position
	limit $3::bigint
) as p
left join {{.Events}} as e on e.global_position = p.global_position
order by
	p.consumer,
	p.global_position
