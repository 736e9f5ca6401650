-- eventmap: set heads back after an append to several streams that was not to be
with given as materialized (
	select
		g.aggregate_type,
		g.aggregate_id,
		g.aggregate_version{{if .Logs}},
		{{.LogOf "g.aggregate_id"}} as log{{end}}
	from unnest(
		$1::text[],
		$2::text[],
		$3::bigint[]
	) as g (
		aggregate_type,
		aggregate_id,
		aggregate_version
	)
), restored as (
	update {{.Heads}} as h
	set aggregate_version = g.aggregate_version
	from given as g
	where {{.Same "h" "g"}}h.aggregate_type = g.aggregate_type
	  and h.aggregate_id = g.aggregate_id
	  and g.aggregate_version > 0
	returning 1
), removed as (
	delete from {{.Heads}} as h
	using given as g
	where {{.Same "h" "g"}}h.aggregate_type = g.aggregate_type
	  and h.aggregate_id = g.aggregate_id
	  and g.aggregate_version = 0
	returning 1
)
select
	(select count(*) from restored) + (select count(*) from removed)
