-- eventmap: read the log{{if .Filtered}}, filtered{{end}}
select
	global_position,
	{{template "columns" .Read}}
from {{.Events}}
where {{.Of ""}}global_position > $1::bigint
  and global_position <= coalesce($2::bigint, nullif(current_setting('eventmap.frontier', true), '')::bigint)
{{- if .Filtered}}
  and ($4::text[] is null or aggregate_type = any ($4::text[]))
  and ($5::text[] is null or event_type = any ($5::text[]))
{{- end}}
order by global_position
limit $3::bigint
