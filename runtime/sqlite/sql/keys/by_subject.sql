-- eventmap: all keys of subjects
select {{template "columns.sql" .}}
from json_each(?1) as g
join {{.SubjectKeys}} as k on k.subject = g.value
order by k.subject, k.generation
