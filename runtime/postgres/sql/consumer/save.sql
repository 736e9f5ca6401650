-- eventmap: save a checkpoint
with saved as (
	update {{.Checkpoints}}
	set position = $3::bigint,
		handled = case when $3::bigint < (select max(h.position) from unnest(handled) as h (position)) then handled end,
		failures = $4::integer,
		failed_position = $5::bigint,
		last_error = $6::text,
		retry_at = clock_timestamp() + $7::double precision * interval '1 second',
		stopped_at = case when $8::boolean then clock_timestamp() end,
		updated_at = clock_timestamp()
	where consumer = $1::text
	  and segment = $2::integer
	  and pg_current_xact_id()::text = $9::text
	returning segment
)
-- Division by zero, where the transaction is not that of the claim: the commit that is sent with this must not happen.
select 1 / count(*) from saved
