-- eventmap: are there parked events
select exists (
	select 1
	from {{.Parked}}
	where consumer = ?1
)
