-- eventmap: read parked events
select
	{{if .Logs}}log{{else}}''{{end}},
	aggregate_type,
	aggregate_id,
	global_position,
	attempts,
	error,
	parked_at
from {{.Parked}}
where consumer = $1::text
  and {{if .Logs}}(log, global_position) > ($log::text, $2::bigint){{else}}global_position > $2::bigint{{end}}
  and ($4::text is null or aggregate_type = $4::text)
  and ($5::text is null or aggregate_id = $5::text)
{{- if .Logs}}
  and ($6::text is null or log = $6::text)
{{- end}}
order by {{.Key}}global_position
limit $3::bigint
