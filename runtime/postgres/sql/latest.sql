-- eventmap: latest position
select coalesce(max(global_position), 0) from {{.Events}}{{if .Logs}} where log = $log::text{{end}}
