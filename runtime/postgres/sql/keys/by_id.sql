-- eventmap: keys by ID
select {{template "columns.sql" .}}
from {{.SubjectKeys}} as k
where k.key_id = any ($1::text[]::uuid[])
