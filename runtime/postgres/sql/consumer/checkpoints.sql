-- eventmap: {{if .Lock}}lock{{else}}read{{end}} the checkpoints of a consumer
select
	{{template "checkpoint" .}}
from {{.Checkpoints}} as c
where consumer = $1::text
{{- if .Logs}}
  and log <> ''
{{- end}}
order by {{if .Logs}}log{{else}}segment{{end}}
{{- if .Lock}}
for update
{{- end}}
