-- eventmap: append to several streams, and guard others
{{- /* A guard has no events, and its stream may not exist. Then a head is made for it, whose insertion keeps others out. No
stream is at the version it has. It never sees a commit: the statement after this one removes it. */}}
{{define "guarded"}}9223372036854775807{{end}}
with given as materialized (
	select
		g.aggregate_type,
		g.aggregate_id,
		g.lowest,
		g.highest,
		g.events{{if .Logs}},
		{{.LogOf "g.aggregate_id"}} as log{{end}}
	from unnest(
		$1::text[],
		$2::text[],
		$3::bigint[],
		$4::bigint[],
		$5::bigint[]
	) as g (
		aggregate_type,
		aggregate_id,
		lowest,
		highest,
		events
	)
), {{template "held_all" .}}head as (
	insert into {{.Heads}} as h ({{.Key}}aggregate_type, aggregate_id, aggregate_version)
	select
		{{.ItsLog "g"}}g.aggregate_type,
		g.aggregate_id,
		case when g.events > 0 then g.events else {{template "guarded"}} end
	from given as g
{{- if .Logs}}
	join held
		on held.log = g.log
{{- end}}
	order by
		{{if .Logs}}g.log collate "C",
		{{end}}g.aggregate_type collate "C",
		g.aggregate_id collate "C"
	on conflict ({{.Key}}aggregate_type, aggregate_id) do update
	set aggregate_version = h.aggregate_version + excluded.aggregate_version % {{template "guarded"}}
	returning
		h.aggregate_type,
		h.aggregate_id,
		h.aggregate_version
), before as materialized (
	select
		{{.ItsLog "g"}}g.aggregate_type,
		g.aggregate_id,
		previous.aggregate_version,
		previous.aggregate_version between g.lowest and g.highest as expected
	from given as g
	join head
		on head.aggregate_type = g.aggregate_type
		and head.aggregate_id = g.aggregate_id
	cross join lateral (
		select head.aggregate_version % {{template "guarded"}} - g.events as aggregate_version
	) as previous
), verdict as materialized (
	-- Where nobody could undo the heads, their change must end the statement: the division fails.
	select
		bool_and(before.expected) as expected,
		1 / case when bool_and(before.expected) or not $6::boolean then 1 else 0 end as proceed
	from before
), {{if .Logs}}counted as (
	update {{.Logs}} as l
	set
		{{template "count" "g.events"}}
	from (
		select
			g.log,
			sum(g.events)::bigint as events
		from given as g
		cross join verdict
		where verdict.expected
		  and verdict.proceed = 1
		group by g.log
		having sum(g.events) > 0
	) as g
	where l.log = g.log
	returning
		l.log,
		l.position - g.events as position
){{else}}fence as materialized (
	select
		case
			when current_setting({{template "setting" .}}, true) = pg_current_xact_id()::text then 'held'
			else set_config({{template "setting" .}}, pg_current_xact_id()::text || {{template "lock" .}}, true)
		end as held,
		{{template "sound" .}} as sound
	from verdict
	where verdict.expected
	  and verdict.proceed = 1
	  and cardinality($7::text[]) > 0
){{end}}, stored as (
	insert into {{.Events}} (
		{{.Place}}{{template "columns" "payload"}}
	)
	select
{{- template "counted_place" .}}
		e.aggregate_type,
		e.aggregate_id,
		before.aggregate_version + e.place,
		{{template "values" .}}
	from {{if not .Logs}}fence
	cross join {{end}}unnest(
		$7::text[],
		$8::text[],
		$9::bigint[],
		$10::text[],
		$11::text[],
		$12::integer[],
		$13::bytea[],
		$14::text[],
		$15::text[],
		$16::text[],
		$17::text[],
		$18::timestamptz[]
	) with ordinality as e (
		aggregate_type,
		aggregate_id,
		place,
		{{template "arrays"}}
	)
	join before
		on before.aggregate_type = e.aggregate_type
		and before.aggregate_id = e.aggregate_id
{{- template "placed" .}}
	returning
		aggregate_type,
		aggregate_id,
		aggregate_version,
		global_position
){{if .Notify}}, {{template "notified" "$19"}}{{end}}
select
	stored.global_position,
	stored.aggregate_version,
	stored.aggregate_type,
	stored.aggregate_id
from stored
{{- template "sent" .}}
union all
select
	0,
	before.aggregate_version,
	before.aggregate_type,
	before.aggregate_id
from before
cross join verdict
where not verdict.expected
{{- if .Logs}}
union all
select
	0,
	0,
	'',
	''
from verdict
where verdict.expected is null
{{- end}}
