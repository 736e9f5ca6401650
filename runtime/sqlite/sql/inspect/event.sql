-- eventmap: inspect an event
select
	{{- template "shown"}}
from {{.Events}} as e
where {{if .ByID}}e.event_id{{else}}e.global_position{{end}} = ?2
limit 1
