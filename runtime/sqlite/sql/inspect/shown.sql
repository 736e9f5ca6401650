{{- /* What the statements of inspectors share. Long values are cut: an ID may be of any length but for the stream's own. */ -}}

{{define "shown"}}
	e.global_position,
	e.aggregate_type,
	e.aggregate_id,
	e.aggregate_version,
	e.event_id,
	e.event_type,
	e.event_version,
	substr(e.payload, 1, ?1),
	length(e.payload),
	substr(e.trace_id, 1, 1000),
	substr(e.correlation_id, 1, 1000),
	substr(e.causation_id, 1, 1000),
	substr(e.metadata, 1, ?1),
	coalesce(length(cast(e.metadata as blob)), 0),
	e.created_at
{{- end}}
