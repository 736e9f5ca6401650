-- eventmap: inspect a stream
select
	{{- template "shown" .}}
from {{.Events}} as e
where e.aggregate_type = $2::text
  and e.aggregate_id = $3::text
  and e.aggregate_version > $4::bigint
  and e.aggregate_version < $5::bigint
order by e.aggregate_version{{if .Backward}} desc{{end}}
limit $6::bigint
