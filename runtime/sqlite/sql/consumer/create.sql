-- eventmap: create the checkpoint of a segment
insert into {{.Checkpoints}} (consumer, segment, segments, updated_at)
select ?1, ?2, ?3, ?4
where not exists (select 1 from {{.Checkpoints}} where consumer = ?1 and segment = ?2)
