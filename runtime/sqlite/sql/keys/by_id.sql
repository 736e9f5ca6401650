-- eventmap: keys by ID
select {{template "columns.sql" .}}
from json_each(?1) as g
join {{.SubjectKeys}} as k on k.key_id = g.value
