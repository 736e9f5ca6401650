{{- /* A checkpoint as it is returned, of the table as c. An array goes as text: database/sql takes no arrays. */ -}}

{{define "checkpoint" -}}
{{if .Logs}}c.log,
	0,
	1{{else}}'',
	c.segment,
	c.segments{{end}},
	c.position,
	coalesce(array_to_string(c.handled, ','), ''),
	c.failures,
	coalesce(c.failed_position, 0),
	coalesce(c.last_error, ''),
	c.retry_at,
	c.stopped_at,
	c.updated_at,
	c.replay_until,
{{- if .Apart}}
	false,
	0::bigint,
	{{template "names" .}}
{{- else}}
	{{template "astray" .}},
	{{if .Logs}}coalesce((select l.position from {{.Logs}} as l where l.log = c.log), 0){{else}}0::bigint{{end}}
{{- end}}
{{- end}}

{{/* Which event a checkpoint names, for the nodes to say whether it is astray. */}}
{{define "names" -}}
case when c.event_position = {{template "reached" "c.position"}} and c.event_id is not null then c.event_position else 0 end,
	coalesce(c.event_id, {{template "nothing"}})::text
{{- end}}

{{/* Whether the log has another event than the checkpoint names. One that names none, or that a release has moved since that
names none, is not; nor is one up to which the log is archived. */}}
{{define "astray" -}}
coalesce(
		c.event_position = {{template "reached" "c.position"}} and c.event_id <> (
			select e.event_id
			from {{.Events}} as e
			where {{.Same "e" "c"}}e.global_position <= c.event_position
			order by e.global_position desc
			limit 1
		),
		false
	)
{{- end}}

{{/* Up to where a checkpoint at a position skips or has handled events. */}}
{{define "reached" -}}
greatest({{.}}, (select max(h.position) from unnest(c.handled) as h (position)))
{{- end}}

{{/* The condition of the checkpoint that the second argument names: a segment, or a log. */}}
{{define "part" -}}
{{if .Logs}}log = $2::text{{else}}segment = $2::integer{{end}}
{{- end}}

{{define "nothing" -}}
'00000000-0000-0000-0000-000000000000'::uuid
{{- end}}

{{/* Whether a failed event is to be tried again by now. One whose failure lies in the future waits for a time that may never
come: the clock was set back since, or this is another server. */}}
{{define "due" -}}
(retry_at is null or retry_at <= clock_timestamp() or updated_at > clock_timestamp())
{{- end}}

{{/* Citus takes no volatile function in an update. */}}
{{define "clock" -}}
{{if .Apart}}statement_timestamp(){{else}}clock_timestamp(){{end}}
{{- end}}
