-- eventmap: has a consumer handled logs up to some positions
select not exists (
	select
	from unnest($2::text[], $3::bigint[]) as t (log, position)
	join {{.Logs}} as l
		on l.log = t.log
		and l.dropped_at is null
	left join {{.Checkpoints}} as c
		on c.consumer = $1::text
		and c.log = t.log
	where coalesce(c.position, 0) < t.position
)
