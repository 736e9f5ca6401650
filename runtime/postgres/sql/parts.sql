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

{{define "drawn" -}}
case when is_called then last_value else last_value - 1 end
{{- end}}

{{define "namespace" -}}
('{{.Sequence}}'::regclass::oid::bigint & 32767 | 32768)
{{- end}}

{{define "setting" -}}
'eventmap.fence_' || '{{.Sequence}}'::regclass::oid
{{- end}}

{{define "hold" -}}
case
			when current_setting({{template "setting" .}}, true) = pg_current_xact_id()::text then 'held'
			else set_config(
				{{template "setting" .}},
				pg_current_xact_id()::text || pg_advisory_xact_lock_shared({{template "namespace" .}} << 48 | drawn.position)::text,
				true
			)
		end
{{- end}}
