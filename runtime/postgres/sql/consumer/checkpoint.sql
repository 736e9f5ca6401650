{{- /* A checkpoint as it is returned. An array goes as text: database/sql takes no arrays. */ -}}

{{define "checkpoint" -}}
segment,
	segments,
	position,
	coalesce(array_to_string(handled, ','), ''),
	failures,
	coalesce(failed_position, 0),
	coalesce(last_error, ''),
	retry_at,
	stopped_at,
	updated_at
{{- end}}
