-- eventmap: where a look through the log has ended
select
	count(*),
	coalesce({{if .Backward}}min{{else}}max{{end}}(w.global_position), 0)
from (
	select global_position
	from {{.Events}} as e
	where global_position > $1::bigint
	  and global_position < $2::bigint
	{{- if eq .Indexed "event type"}}
	  and event_type = $4::text
	{{- else if eq .Indexed "correlation ID"}}
	  and correlation_id = $4::text
	{{- end}}
	order by global_position{{if .Backward}} desc{{end}}
	limit $3::bigint
) as w
