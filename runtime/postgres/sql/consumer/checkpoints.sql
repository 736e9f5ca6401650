-- eventmap: {{if .Lock}}lock{{else}}read{{end}} the checkpoints of a consumer
select
	{{template "checkpoint" .}}
from {{.Checkpoints}} as c
where consumer = $1::text
order by segment
{{- if .Lock}}
for update
{{- end}}
