-- eventmap: inspect an event
select
	{{- template "shown" .}}
from {{.Events}} as e
where {{if .ByID}}e.event_id = $2::uuid{{else}}e.global_position = $2::bigint{{end}}
limit 1
