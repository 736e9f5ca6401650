-- eventmap: keys that another wrapper wrapped
select {{template "columns.sql" .}}
from {{.SubjectKeys}} as k
where k.wrapped_by <> ?1
order by k.key_id
limit ?2
