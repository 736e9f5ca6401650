-- eventmap: claim {{if .Any}}the segment of a consumer that is furthest behind{{else}}a segment of a consumer{{end}}
select
	{{template "checkpoint" .}},
	current_setting('eventmap.frontier')::bigint,
	pg_current_xact_id()::text
from {{.Checkpoints}} as c
where consumer = $1::text
{{- if .Any}}
  and position < current_setting('eventmap.frontier')::bigint
  and stopped_at is null
  and {{template "due"}}
  and segment <> all ($2::integer[])
order by position, segment
limit 1
for update skip locked
{{- else}}
  and segment = $2::integer
for update
{{- end}}
