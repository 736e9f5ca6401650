-- eventmap: claim {{if .Any}}the segment of a consumer that is furthest behind{{else}}a segment of a consumer{{end}}
select
	{{template "checkpoint" .}},
	{{template "frontier" .}}
from {{.Checkpoints}} as c
where consumer = ?1
{{- if .Any}}
  and position < {{template "frontier" .}}
  and stopped_at is null
  and {{template "due"}}
  and segment not in (select value from json_each(?3))
order by position, segment
limit 1
{{- else}}
  and segment = ?2
{{- end}}
