-- eventmap: park an event
insert into {{.Parked}} (consumer, global_position, aggregate_type, aggregate_id, attempts, error, parked_at)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
on conflict (consumer, global_position) do update
set attempts = excluded.attempts,
	error = excluded.error
