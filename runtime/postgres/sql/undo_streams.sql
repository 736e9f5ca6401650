-- eventmap: take back the heads of new streams that an append to several could not complete
with undone as (
	delete from {{.Heads}} as h
	using unnest($1::text[], $2::text[]) as g (aggregate_type, aggregate_id)
	where h.aggregate_type = g.aggregate_type
	  and h.aggregate_id = g.aggregate_id
	returning 1
)
select count(*) from undone
