{{- /* What several statements share. */ -}}

{{define "columns" -}}
{{.}}aggregate_type,
	{{.}}aggregate_id,
	{{.}}aggregate_version,
	{{.}}event_id,
	{{.}}event_type,
	{{.}}event_version,
	{{.}}payload,
	{{.}}trace_id,
	{{.}}correlation_id,
	{{.}}causation_id,
	{{.}}metadata,
	{{.}}created_at
{{- end}}

{{define "namespace" -}}
('{{.Sequence}}'::regclass::oid::bigint & 32767 | 32768)
{{- end}}

{{define "setting" -}}
'eventmap.fence_' || '{{.Sequence}}'::regclass::oid
{{- end}}

{{define "lock" -}}
pg_advisory_xact_lock_shared({{template "namespace" .}} << 48 | coalesce(pg_sequence_last_value('{{.Sequence}}'), 0))::text
{{- end}}
