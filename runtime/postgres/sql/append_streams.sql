-- eventmap: append to several streams
with given as materialized (
	select
		g.aggregate_type,
		g.aggregate_id,
		g.lowest,
		g.highest,
		g.events
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
), locked as materialized (
	select
		h.aggregate_type,
		h.aggregate_id,
		h.aggregate_version
	from {{.Heads}} as h
	join given as g
		on g.aggregate_type = h.aggregate_type
		and g.aggregate_id = h.aggregate_id
	order by
		h.aggregate_type,
		h.aggregate_id
	for update of h
), judged as materialized (
	select
		g.aggregate_type,
		g.aggregate_id,
		g.events,
		l.aggregate_version,
		bool_and(coalesce(l.aggregate_version, 0) between g.lowest and g.highest) over () as all_expected
	from given as g
	left join locked as l
		on l.aggregate_type = g.aggregate_type
		and l.aggregate_id = g.aggregate_id
), created as (
	insert into {{.Heads}} (aggregate_type, aggregate_id, aggregate_version)
	select
		j.aggregate_type,
		j.aggregate_id,
		j.events
	from judged as j
	where j.all_expected
	  and j.aggregate_version is null
	order by
		j.aggregate_type,
		j.aggregate_id
	on conflict do nothing
	returning
		aggregate_type,
		aggregate_id,
		aggregate_version
), complete as materialized (
	select true as yes
	from judged as j
	having bool_and(j.all_expected)
	   and count(*) filter (where j.aggregate_version is null) = (select count(*) from created)
), advanced as (
	update {{.Heads}} as h
	set aggregate_version = h.aggregate_version + j.events
	from judged as j
	cross join complete
	where complete.yes
	  and j.aggregate_version is not null
	  and h.aggregate_type = j.aggregate_type
	  and h.aggregate_id = j.aggregate_id
	returning
		h.aggregate_type,
		h.aggregate_id,
		h.aggregate_version
), head as materialized (
	select
		r.aggregate_type,
		r.aggregate_id,
		r.aggregate_version - j.events as aggregate_version
	from (
		select * from created
		union all
		select * from advanced
	) as r
	join judged as j
		on j.aggregate_type = r.aggregate_type
		and j.aggregate_id = r.aggregate_id
), fence as materialized (
	select
		case
			when current_setting({{template "setting" .}}, true) = pg_current_xact_id()::text then 'held'
			else set_config({{template "setting" .}}, pg_current_xact_id()::text || {{template "lock" .}}, true)
		end as held
	from (
		select count(*) as heads
		from head
		cross join complete
		having count(*) > 0
	) as ready
	where ready.heads is not null
), stored as (
	insert into {{.Events}} (
		{{template "columns" ""}}
	)
	select
		e.aggregate_type,
		e.aggregate_id,
		head.aggregate_version + e.place,
		e.event_id::uuid,
		e.event_type,
		e.event_version,
		e.payload,
		e.trace_id,
		e.correlation_id,
		e.causation_id,
		e.metadata::json,
		e.created_at
	from fence
	cross join unnest(
		$6::text[],
		$7::text[],
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
		aggregate_type,
		aggregate_id,
		place,
		event_id,
		event_type,
		event_version,
		payload,
		trace_id,
		correlation_id,
		causation_id,
		metadata,
		created_at,
		ordinal
	)
	join head
		on head.aggregate_type = e.aggregate_type
		and head.aggregate_id = e.aggregate_id
	where fence.held is not null
	order by e.ordinal
	returning
		aggregate_type,
		aggregate_id,
		aggregate_version,
		global_position
){{if .Notify}}, notified as (
	select pg_notify($18::text, max(stored.global_position)::text)::text as sent
	from stored
	having count(*) > 0
){{end}}
select
	stored.global_position,
	stored.aggregate_version,
	stored.aggregate_type,
	stored.aggregate_id
from stored
{{- if .Notify}}
cross join notified
where notified.sent is not null
{{- end}}
union all
select
	0,
	created.aggregate_version,
	created.aggregate_type,
	created.aggregate_id
from created
where not exists (select from complete)
