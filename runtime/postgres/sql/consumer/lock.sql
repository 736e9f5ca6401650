-- eventmap: lock a consumer against changes of its segments
select 1
from {{.Checkpoints}}
where consumer = $1::text
  and {{if .Logs}}log = ''{{else}}segment = 0{{end}}
for update
