-- eventmap: head of a stream, and of the log
select
	coalesce((
		select max(aggregate_version)
		from {{.Events}}
		where aggregate_type = ?1
		  and aggregate_id = ?2
	), 0),
	{{template "frontier" .}},
	{{template "behind" .}}
