-- eventmap: append for a group of callers
with patience as materialized (
	select set_config('lock_timeout', coalesce($6::text, current_setting('lock_timeout')), true) as limited
), given as materialized (
	select
		g.aggregate_type,
		g.aggregate_id,
		g.lowest,
		g.highest,
		g.events,
		g.ordinal{{if .Logs}},
		{{.LogOf "g.aggregate_id"}} as log{{end}}
	from unnest(
		$1::text[],
		$2::text[],
		$3::bigint[],
		$4::bigint[],
		$5::bigint[]
	) with ordinality as g (
		aggregate_type,
		aggregate_id,
		lowest,
		highest,
		events,
		ordinal
	)
), {{if .Logs}}held as materialized (
	select l.log
	from patience
	cross join {{.Logs}} as l
	where patience.limited is not null
	  and l.log in (
		select g.log
		from given as g
	  )
	order by l.log
	for no key update of l
), {{end}}head as (
	insert into {{.Heads}} as h ({{.Key}}aggregate_type, aggregate_id, aggregate_version)
	select
		{{.ItsLog "g"}}g.aggregate_type,
		g.aggregate_id,
		g.events
	from patience
	cross join given as g
{{- if .Logs}}
	join held
		on held.log = g.log
{{- end}}
	where patience.limited is not null
	  and (g.lowest = 0 or (
		select k.aggregate_version
		from {{.Heads}} as k
		where {{if .Logs}}k.log = g.log
		  and {{end}}k.aggregate_type = g.aggregate_type
		  and k.aggregate_id = g.aggregate_id
	) is not null)
	order by
		{{if .Logs}}g.log collate "C",
		{{end}}g.aggregate_type collate "C",
		g.aggregate_id collate "C"
	on conflict ({{.Key}}aggregate_type, aggregate_id) do update
	set aggregate_version = h.aggregate_version + excluded.aggregate_version
	-- A stream that exists is at any version from 1, so only exact ones need to be compared.
	where (h.aggregate_type, h.aggregate_id) in (
		select
			g.aggregate_type,
			g.aggregate_id
		from given as g
		where g.lowest < g.highest
	) or (h.aggregate_type, h.aggregate_id, h.aggregate_version) in (
		select
			g.aggregate_type,
			g.aggregate_id,
			g.lowest
		from given as g
		where g.lowest = g.highest
	)
	returning
		h.aggregate_type,
		h.aggregate_id,
		h.aggregate_version
), before as materialized (
	select
		g.ordinal,
		g.aggregate_type,
		g.aggregate_id,
{{- if .Logs}}
		g.log,
{{- end}}
		head.aggregate_version - g.events as aggregate_version,
		head.aggregate_version - g.events between g.lowest and g.highest as expected
	from given as g
	join head
		on head.aggregate_type = g.aggregate_type
		and head.aggregate_id = g.aggregate_id
), {{if .Logs}}counted as (
	update {{.Logs}} as l
	set
		{{template "count" "g.events"}}
	from (
		-- A stream that was deleted after the statement began has been created at the wrong version: the division fails.
		select
			g.log,
			sum(g.events)::bigint / case when bool_and(before.expected) then 1 else 0 end as events
		from before
		join given as g
			on g.ordinal = before.ordinal
		group by g.log
	) as g
	where l.log = g.log
	returning
		l.log,
		l.position - g.events as position
){{else}}fence as materialized (
	-- A stream that was deleted after the statement began has been created at the wrong version: the division fails.
	select
		case
			when 1 / case when bool_and(before.expected) then 1 else 0 end = 1 then {{template "lock" .}}
		end as held,
		{{template "sound" .}} as sound
	from before
	having count(*) > 0
){{end}}, stored as (
	insert into {{.Events}} (
		{{.Place}}{{template "columns" "payload"}}
	)
	select
{{- template "counted_place" .}}
		before.aggregate_type,
		before.aggregate_id,
		before.aggregate_version + e.place,
		{{template "values" .}}
	from {{if not .Logs}}fence
	cross join {{end}}unnest(
		$7::bigint[],
		$8::bigint[],
		$9::text[],
		$10::text[],
		$11::integer[],
		$12::bytea[],
		$13::text[],
		$14::text[],
		$15::text[],
		$16::text[],
		$17::timestamptz[]
	) with ordinality as e (
		stream,
		place,
		{{template "arrays"}}
	)
	join before
		on before.ordinal = e.stream
{{- template "placed" .}}
	returning
		event_id,
		aggregate_version,
		global_position
){{if .Notify}}, {{template "notified" "$18"}}{{end}}
select
	stored.event_id,
	stored.aggregate_version,
	stored.global_position
from stored
{{- template "sent" .}}
