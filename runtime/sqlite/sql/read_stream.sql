-- eventmap: read a stream {{if .Backward}}backward{{else}}forward{{end}}
select
	global_position,
	{{template "columns"}}
from {{.Events}}
where aggregate_type = ?1
  and aggregate_id = ?2
  and aggregate_version >= ?3
  and aggregate_version <= ?4
order by aggregate_version{{if .Backward}} desc{{end}}
limit ?5
