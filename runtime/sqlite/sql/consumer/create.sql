-- eventmap: create the checkpoint of a segment
insert into {{.Checkpoints}} (consumer, segment, segments, position, updated_at, replay_until, event_position, event_id)
select
	?1,
	?2,
	?3,
	?5,
	?4,
	?6,
	?5,
	coalesce(
		(
			select e.event_id
			from {{.Events}} as e
			where e.global_position <= ?5
			order by e.global_position desc
			limit 1
		),
		{{template "nothing"}}
	)
where not exists (select 1 from {{.Checkpoints}} where consumer = ?1 and segment = ?2)
