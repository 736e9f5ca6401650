{{- /* What the statements of consumers share. */ -}}

{{define "checkpoint" -}}
segment,
	segments,
	position,
	coalesce(handled, ''),
	failures,
	coalesce(failed_position, 0),
	coalesce(last_error, ''),
	coalesce(retry_at, ''),
	coalesce(stopped_at, ''),
	updated_at
{{- end}}
