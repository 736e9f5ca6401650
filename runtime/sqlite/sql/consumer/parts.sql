{{- /* What the statements of consumers share. */ -}}

{{define "checkpoint" -}}
c.segment,
	c.segments,
	c.position,
	coalesce(c.handled, ''),
	c.failures,
	coalesce(c.failed_position, 0),
	coalesce(c.last_error, ''),
	coalesce(c.retry_at, ''),
	coalesce(c.stopped_at, ''),
	c.updated_at,
	c.replay_until,
	{{template "astray" .}}
{{- end}}

{{/* Whether the log has another event than the checkpoint names. One that names none is not, nor is one up to which the log
is archived. */}}
{{define "astray" -}}
coalesce(
		c.event_position = max(c.position, coalesce((select max(value) from json_each(c.handled)), 0)) and c.event_id <> (
			select e.event_id
			from {{.Events}} as e
			where e.global_position <= c.event_position
			order by e.global_position desc
			limit 1
		),
		false
	)
{{- end}}

{{define "nothing" -}}
'00000000-0000-0000-0000-000000000000'
{{- end}}

{{/* Whether a failed event is to be tried again by now, which is ?2. One whose failure lies in the future waits for a time that
may never come: the clock was set back since. */}}
{{define "due" -}}
(retry_at is null or retry_at <= ?2 or updated_at > ?2)
{{- end}}
