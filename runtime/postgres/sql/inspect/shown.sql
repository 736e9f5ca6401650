{{- /* What the statements of inspectors share. Long values are cut: an ID may be of any length but for the stream's own. */ -}}

{{define "shown"}}
	e.global_position,
	e.aggregate_type,
	e.aggregate_id,
	e.aggregate_version,
	e.event_id::text,
	e.event_type,
	e.event_version,
	{{.ReadFirst "$1::integer"}},
	{{.Size}},
	left(e.trace_id, 1000),
	left(e.correlation_id, 1000),
	left(e.causation_id, 1000),
	left(e.metadata::text, $1::integer),
	coalesce(octet_length(e.metadata::text), 0)::bigint,
	e.created_at
{{- end}}

{{define "session" -}}
a.pid,
	coalesce(a.usename, ''),
	coalesce(a.application_name, ''),
	coalesce(host(a.client_addr), ''),
	coalesce(a.state, ''),
	a.xact_start
{{- end}}

{{/* How far the log is, and can be read. One of many can be read as far as it is, on a standby too. */}}
{{define "reach" -}}
{{if .End}}{{.End}} as drawn
cross join (select null::bigint as lowest) as held{{else}}{{template "frontier" .}}{{end}}
{{- end}}

{{define "unreadable"}}{{if .End}}false{{else}}pg_is_in_recovery(){{end}}{{end}}
