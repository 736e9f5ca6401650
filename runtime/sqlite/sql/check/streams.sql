-- eventmap: check a sample of the streams
with sample as (
	select
		aggregate_type,
		aggregate_id
	from (
		select
			aggregate_type,
			aggregate_id
		from {{.Events}}
		order by global_position desc
		limit 200
	)
	union
	select
		aggregate_type,
		aggregate_id
	from (
		select
			aggregate_type,
			aggregate_id
		from {{.Events}}
		order by global_position
		limit 200
	)
), last_event as (
	select
		s.aggregate_type,
		s.aggregate_id,
		(
			select max(e.aggregate_version)
			from {{.Events}} as e
			where e.aggregate_type = s.aggregate_type
			  and e.aggregate_id = s.aggregate_id
		) as aggregate_version
	from sample as s
), tail as (
	select
		e.aggregate_type,
		e.aggregate_id,
		e.aggregate_version,
		e.global_position <= lag(e.global_position) over stream as inverted
	from last_event as l
	join {{.Events}} as e
		on e.aggregate_type = l.aggregate_type
		and e.aggregate_id = l.aggregate_id
		and e.aggregate_version > l.aggregate_version - 100
	window stream as (
		partition by
			e.aggregate_type,
			e.aggregate_id
		order by e.aggregate_version
	)
)
select
	t.aggregate_type,
	t.aggregate_id,
	max(t.aggregate_version) as last,
	count(*) as events,
	min(t.aggregate_version) as first,
	coalesce(min(case when t.inverted then t.aggregate_version end), 0) as inverted
from tail as t
group by
	t.aggregate_type,
	t.aggregate_id
having count(*) <> max(t.aggregate_version) - min(t.aggregate_version) + 1
	or max(t.inverted)
	or not exists (
		select 1
		from {{.Events}} as e
		where e.aggregate_type = t.aggregate_type
		  and e.aggregate_id = t.aggregate_id
		  and e.aggregate_version = 1
	)
order by
	t.aggregate_type,
	t.aggregate_id
limit 20
