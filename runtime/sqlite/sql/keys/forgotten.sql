-- eventmap: forgotten keys
select {{template "columns.sql" .}}
from {{.SubjectKeys}} as k
where k.wrapped is null
  and k.key_id > ?1
order by k.key_id
limit ?2
