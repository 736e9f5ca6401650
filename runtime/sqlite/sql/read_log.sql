-- eventmap: read the log{{if .Filtered}}, filtered{{end}}
select
	global_position,
	{{template "columns"}}
from {{.Events}}
where global_position > ?1
  and global_position <= ?2
{{- if .Filtered}}
  and {{template "types"}}
  and (?5 is null or event_type in (select value from json_each(?5)))
{{- end}}
order by global_position
limit ?3
