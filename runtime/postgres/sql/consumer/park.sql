-- eventmap: park an event
insert into {{.Parked}} as p (consumer, {{.Key}}global_position, aggregate_type, aggregate_id, attempts, error)
values ($1::text, {{.Log}}$2::bigint, $3::text, $4::text, $5::integer, $6::text)
on conflict (consumer, {{.Key}}global_position) do update
set attempts = excluded.attempts,
	error = excluded.error
