-- eventmap: inspect the streams{{if .Typed}} of a type{{end}}
{{- if not .Typed}}
with recursive types as (
	(
		select h.aggregate_type
		from {{.Heads}} as h
		where h.aggregate_type >= $1::text
		order by h.aggregate_type
		limit 1
	)
	union all
	select next.aggregate_type
	from types as t
	cross join lateral (
		select h.aggregate_type
		from {{.Heads}} as h
		where h.aggregate_type > t.aggregate_type
		order by h.aggregate_type
		limit 1
	) as next
)
{{- end}}
select
	s.aggregate_type,
	s.aggregate_id,
	s.aggregate_version
from {{if .Typed}}(select $1::text as aggregate_type){{else}}(select aggregate_type from types limit $6::bigint){{end}} as t
cross join lateral (
	select
		h.aggregate_type,
		h.aggregate_id,
		h.aggregate_version
	from {{.Heads}} as h
	where h.aggregate_type = t.aggregate_type
	  and h.aggregate_id > case when t.aggregate_type = $1::text then $2::text else '' end
	  and h.aggregate_id >= $3::text
	  and h.aggregate_id < $4::text
	order by h.aggregate_id
	limit $5::bigint
) as s
order by
	s.aggregate_type,
	s.aggregate_id
limit $5::bigint
