-- eventmap: all keys of subjects
select {{template "columns.sql" .}}
from {{.SubjectKeys}} as k
where k.subject = any ($1::text[])
order by k.subject, k.generation
