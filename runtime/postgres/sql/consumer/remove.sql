{{if .Logs -}}
-- eventmap: forget a consumer, or let it run
with running as (
	update {{.Checkpoints}}
	set
		stopped_at = null,
		last_error = null
	where consumer = $1::text
	  and log = ''
	  and $2::integer > 0
)
delete from {{.Checkpoints}}
where consumer = $1::text
  and $2::integer = 0
{{- else -}}
-- eventmap: remove the checkpoints of segments that are no more
delete from {{.Checkpoints}}
where consumer = $1::text
  and segment >= $2::integer
{{- end}}
