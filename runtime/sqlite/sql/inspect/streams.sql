-- eventmap: inspect the streams of a type
with recursive streams (aggregate_id, place) as (
	select
		min(aggregate_id),
		1
	from {{.Events}}
	where aggregate_type = ?1
	  and aggregate_id > ?2
	  and aggregate_id >= ?3
	  and aggregate_id < ?4
	union all
	select
		(
			select min(e.aggregate_id)
			from {{.Events}} as e
			where e.aggregate_type = ?1
			  and e.aggregate_id > s.aggregate_id
			  and e.aggregate_id < ?4
		),
		s.place + 1
	from streams as s
	where s.aggregate_id is not null
	  and s.place < ?5
)
select
	s.aggregate_id,
	(
		select max(e.aggregate_version)
		from {{.Events}} as e
		where e.aggregate_type = ?1
		  and e.aggregate_id = s.aggregate_id
	)
from streams as s
where s.aggregate_id is not null
order by s.aggregate_id
