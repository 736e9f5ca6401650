{{- /* What the statements of consumers share. */ -}}

{{define "hash" -}}
('x' || encode(substring(sha256(convert_to(aggregate_id, 'UTF8')) for 4), 'hex'))::bit(32)::bigint
{{- end}}

{{/* How much of memory an event takes up. Only documents that are stored compressed are read for that. */}}
{{define "size" -}}
1 + coalesce({{if .IsJSON}}{{template "document" "payload"}}{{else}}octet_length(payload){{end}}, 0)
			+ coalesce({{template "document" "metadata"}}, 0)
{{- end}}

{{define "document" -}}
case when pg_column_compression({{.}}) is null then pg_column_size({{.}}) else octet_length({{.}}::text) end
{{- end}}

{{define "selection" -}}
{{.Of ""}}global_position > $1::bigint
  and global_position <= $2::bigint
  and ($4::text[] is null or aggregate_type = any ($4::text[]))
  and ($5::bigint = 1 or {{template "hash"}} % $5::bigint = $6::bigint)
  and ($7::bigint[] is null or global_position > ($7::bigint[])[{{template "hash"}} % cardinality($7::bigint[]) + 1])
{{- end}}
