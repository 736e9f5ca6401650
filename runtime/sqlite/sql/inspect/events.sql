-- eventmap: inspect the log{{if .Indexed}} by {{.Indexed}}{{end}}
select
	{{- template "shown"}}
from (
	select *
	from {{.Events}}
	where global_position > ?2
	  and global_position < ?3
	{{- if eq .Indexed "event type"}}
	  and event_type = ?6
	{{- else if eq .Indexed "correlation ID"}}
	  and correlation_id = ?7
	{{- end}}
	order by global_position{{if .Backward}} desc{{end}}
	limit ?9
) as e
where (?5 is null or e.aggregate_type = ?5)
  and (?6 is null or e.event_type = ?6)
  and (?7 is null or e.correlation_id = ?7)
  and (?8 is null or e.causation_id = ?8)
order by e.global_position{{if .Backward}} desc{{end}}
limit ?4
