-- eventmap: head of a stream{{if .Creates}}, of a log that is there from now on{{end}}
{{if and .Logs .Creates -}}
with created as (
	insert into {{.Logs}} (log)
	values ($log::text)
	on conflict (log) do nothing
)
{{end -}}
select coalesce((
	select aggregate_version
	from {{.Heads}}
	where {{.Of ""}}aggregate_type = $1::text
	  and aggregate_id = $2::text
), 0)
