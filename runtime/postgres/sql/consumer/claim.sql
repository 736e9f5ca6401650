-- eventmap: claim {{if .Any}}the {{.What}} of a consumer that is furthest behind{{else}}a {{.What}} of a consumer{{end}}
select
	{{template "checkpoint" .}},
	{{if .Apart}}0::bigint{{else if .Logs}}l.position{{else}}current_setting('eventmap.frontier')::bigint{{end}},
	pg_current_xact_id()::text
from {{.Checkpoints}} as c
{{- if and .Logs (not .Apart)}}
join {{.Logs}} as l
	on l.log = c.log
	and l.dropped_at is null
{{- end}}
where consumer = $1::text
{{- if .Any}}
{{- if .Apart}}
  and c.log <> all ($3::text[])
{{- else}}
  and c.position < {{if .Logs}}l.position{{else}}current_setting('eventmap.frontier')::bigint{{end}}
{{- end}}
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
