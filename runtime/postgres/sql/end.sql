-- eventmap: end of a stream, by its head and by its events
select greatest(
	coalesce((
		select aggregate_version
		from {{.Heads}}
		where {{.Of ""}}aggregate_type = $1::text
		  and aggregate_id = $2::text
	), 0),
	coalesce((
		select max(aggregate_version)
		from {{.Events}}
		where {{.Of ""}}aggregate_type = $1::text
		  and aggregate_id = $2::text
	), 0)
)
