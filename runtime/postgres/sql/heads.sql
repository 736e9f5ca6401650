-- eventmap: heads of several streams
select coalesce((
	select array_agg(coalesce(h.aggregate_version, 0) order by given.ordinal)
	from unnest($1::text[], $2::text[]) with ordinality as given (aggregate_type, aggregate_id, ordinal)
	left join {{.Heads}} as h
		on {{if .Logs}}h.log = {{.LogOf "given.aggregate_id"}}
		and {{end}}h.aggregate_type = given.aggregate_type
		and h.aggregate_id = given.aggregate_id
), '{}')
