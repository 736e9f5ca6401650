-- eventmap: where {{if .Single}}a log ends{{else}}logs end{{end}}, and which {{if .Single}}event is{{else}}events are{{end}} at {{if .Single}}a position{{else}}some positions{{end}}
{{- if .Single}}
select
	l.log,
	l.position,
	coalesce(e.event_id::text, '')
from {{.Logs}} as l
left join {{.Events}} as e
	on e.log = l.log
	and e.log = $1::text
	and e.global_position = $2::bigint
where l.log = $1::text
  and l.dropped_at is null
{{- else}}
with c as materialized (
	select
		u.log,
		u.position
	from unnest($1::text[], $2::bigint[]) as u (log, position)
)
select
	l.log,
	l.position,
	coalesce(e.event_id::text, '')
from c
join {{.Logs}} as l
	on l.log = c.log
left join {{.Events}} as e
	on e.log = l.log
	and e.global_position = c.position
where l.dropped_at is null
{{- end}}
