-- eventmap: inspect a stream
select
	{{- template "shown"}}
from {{.Events}} as e
where e.aggregate_type = ?2
  and e.aggregate_id = ?3
  and e.aggregate_version > ?4
  and e.aggregate_version < ?5
order by e.aggregate_version{{if .Backward}} desc{{end}}
limit ?6
