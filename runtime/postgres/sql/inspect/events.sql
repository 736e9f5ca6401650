-- eventmap: inspect the log{{if .Indexed}} by {{.Indexed}}{{end}}
select
	{{- template "shown" .}}
from (
	select *
	from {{.Events}} as e
	where global_position > $2::bigint
	  and global_position < $3::bigint
	{{- if eq .Indexed "event type"}}
	  and event_type = $6::text
	{{- else if eq .Indexed "correlation ID"}}
	  and correlation_id = $7::text
	{{- end}}
	order by global_position{{if .Backward}} desc{{end}}
	limit $9::bigint
) as e
where ($5::text is null or e.aggregate_type = $5::text)
  and ($6::text is null or e.event_type = $6::text)
  and ($7::text is null or e.correlation_id = $7::text)
  and ($8::text is null or e.causation_id = $8::text)
order by e.global_position{{if .Backward}} desc{{end}}
limit $4::bigint
