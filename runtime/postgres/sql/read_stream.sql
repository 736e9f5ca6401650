-- eventmap: read a stream {{if .Backward}}backward{{else}}forward{{end}}
select
	global_position,
	{{template "columns" .Read}}
from {{.Events}}
where {{.Of ""}}aggregate_type = $1::text
  and aggregate_id = $2::text
  and aggregate_version >= $3::bigint
  and aggregate_version <= $4::bigint
order by aggregate_version{{if .Backward}} desc{{end}}
limit $5::bigint
