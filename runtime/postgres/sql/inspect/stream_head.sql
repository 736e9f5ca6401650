-- eventmap: inspect the head of a stream
select coalesce((
	select aggregate_version
	from {{.Heads}} as h
	where aggregate_type = $1::text
	  and aggregate_id = $2::text
), 0)
