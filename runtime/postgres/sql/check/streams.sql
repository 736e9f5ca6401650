-- eventmap: check a sample of the streams
with recent as (
	select
		{{.ItsLog "e"}}e.aggregate_type,
		e.aggregate_id
	from {{.Events}} as e
{{- if .Append}}
	where e.log = $log::text
{{- end}}
	order by {{if .Logs}}e.log desc, {{end}}e.global_position desc
	limit 200
), sample as (
	select
		{{.ItsLog "r"}}r.aggregate_type,
		r.aggregate_id
	from recent as r
	union
	(
		select
			{{.ItsLog "h"}}h.aggregate_type,
			h.aggregate_id
		from {{.Heads}} as h
{{- if .Append}}
		where h.log = $log::text
{{- end}}
		order by
			{{.ItsLog "h"}}h.aggregate_type,
			h.aggregate_id
		limit 100
	)
	union
	(
		select
			{{.ItsLog "h"}}h.aggregate_type,
			h.aggregate_id
		from {{.Heads}} as h
{{- if .Append}}
		where h.log = $log::text
{{- end}}
		order by
			{{if .Logs}}h.log desc,
			{{end}}h.aggregate_type desc,
			h.aggregate_id desc
		limit 100
	)
)
select
	{{if .Logs}}s.log{{else}}''{{end}},
	s.aggregate_type,
	s.aggregate_id,
	head.version,
	tail.last,
	tail.events,
	tail.first,
	tail.inverted
from sample as s
cross join lateral (
	select coalesce((
		select h.aggregate_version
		from {{.Heads}} as h
		where {{.Same "h" "s"}}h.aggregate_type = s.aggregate_type
		  and h.aggregate_id = s.aggregate_id
	), 0) as version
) as head
cross join lateral (
	select
		count(*) as events,
		coalesce(min(e.aggregate_version), 0) as first,
		coalesce(max(e.aggregate_version), 0) as last,
		coalesce(min(e.aggregate_version) filter (where e.global_position <= e.position_before), 0) as inverted
	from (
		select
			w.aggregate_version,
			w.global_position,
			lag(w.global_position) over (order by w.aggregate_version) as position_before
		from (
			select
				e.aggregate_version,
				e.global_position
			from {{.Events}} as e
			where {{.Same "e" "s"}}e.aggregate_type = s.aggregate_type
			  and e.aggregate_id = s.aggregate_id
			order by e.aggregate_version desc
			limit 100
		) as w
	) as e
) as tail
cross join lateral (
	select exists (
		select
		from {{.Events}} as e
		where {{.Same "e" "s"}}e.aggregate_type = s.aggregate_type
		  and e.aggregate_id = s.aggregate_id
		  and e.aggregate_version = 1
	) as begins
) as one
where not ($1::boolean and tail.events = 0)
  and (
	head.version <> tail.last
	or tail.events <> tail.last - tail.first + 1
	or tail.inverted > 0
	or not one.begins and not $1::boolean
  )
order by
	{{if .Logs}}s.log,
	{{end}}s.aggregate_type,
	s.aggregate_id
limit 20
