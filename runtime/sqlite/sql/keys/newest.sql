-- eventmap: newest keys of subjects
select {{template "columns.sql" .}}
from json_each(?1) as g
join {{.SubjectKeys}} as k on k.subject = g.value
where k.generation = (select max(n.generation) from {{.SubjectKeys}} as n where n.subject = k.subject)
