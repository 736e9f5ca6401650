-- eventmap: read the checkpoints of a consumer
select
	{{template "checkpoint" .}}
from {{.Checkpoints}} as c
where consumer = ?1
order by segment
