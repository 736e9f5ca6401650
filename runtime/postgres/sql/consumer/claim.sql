-- eventmap: claim {{if .Any}}the {{.What}} of a consumer that is furthest behind{{else}}a {{.What}} of a consumer{{end}}
select
	{{template "checkpoint" .}},
	{{if .Logs}}l.position{{else}}current_setting('eventmap.frontier')::bigint{{end}},
	pg_current_xact_id()::text
from {{.Checkpoints}} as c
{{- if .Logs}}
join {{.Logs}} as l
	on l.log = c.log
	and l.dropped_at is null
{{- end}}
where consumer = $1::text
{{- if .Any}}
  and c.position < {{if .Logs}}l.position{{else}}current_setting('eventmap.frontier')::bigint{{end}}
  and stopped_at is null
  and {{template "due"}}
{{- if .Logs}}
  and c.log = any ($2::text[])
order by array_position($2::text[], c.log)
limit 1
for update of c skip locked
{{- else}}
  and segment <> all ($2::integer[])
order by position, segment
limit 1
for update skip locked
{{- end}}
{{- else}}
  and c.{{template "part" .}}
for update of c
{{- end}}
