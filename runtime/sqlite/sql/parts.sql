{{- /* What several statements share. */ -}}

{{define "columns" -}}
aggregate_type,
	aggregate_id,
	aggregate_version,
	event_id,
	event_type,
	event_version,
	payload,
	trace_id,
	correlation_id,
	causation_id,
	metadata,
	created_at
{{- end}}

{{/* The last position that was given to an event. Like every change it is seen once its transaction has committed. */}}
{{define "frontier" -}}
coalesce((select seq from sqlite_sequence where name = {{.EventsText}} collate nocase), 0)
{{- end}}

{{/* Whether the log has positions that were not given out: then the next ones could be given twice. */}}
{{define "behind" -}}
coalesce((select max(global_position) from {{.Events}}), 0) > {{template "frontier" .}}
{{- end}}

{{/* A parameter with a JSON array of names, or null for all. */}}
{{define "types" -}}
(?4 is null or aggregate_type in (select value from json_each(?4)))
{{- end}}
