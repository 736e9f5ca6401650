-- eventmap: replace the checkpoint of a {{.What}}
insert into {{.Checkpoints}} as c (consumer, {{if .Logs}}log{{else}}segment, segments{{end}}, position, handled, replay_until, updated_at, event_position, event_id)
select
	$1::text,
	{{if .Logs}}$2::text{{else}}$2::integer,
	$3::integer{{end}},
	$4::bigint,
	$5::bigint[],
	$6::bigint,
	{{template "clock" .}},
	reached.position,
{{- if .Apart}}
	$7::uuid
{{- else}}
	coalesce(
		(
			select e.event_id
			from {{.Events}} as e
			where {{if .Logs}}e.log = $2::text
			  and {{end}}e.global_position <= reached.position
			order by e.global_position desc
			limit 1
		),
		{{template "nothing"}}
	)
{{- end}}
from (
	select {{if .Logs}}$3::integer as segments, {{end}}greatest($4::bigint, (select max(h.position) from unnest($5::bigint[]) as h (position))) as position
) as reached
on conflict (consumer, {{if .Logs}}log{{else}}segment{{end}}) do update
set {{if not .Logs}}segments = excluded.segments,
	{{end}}position = excluded.position,
	handled = excluded.handled,
	failures = 0,
	failed_position = null,
	last_error = null,
	retry_at = null,
	stopped_at = null,
	updated_at = excluded.updated_at,
	replay_until = excluded.replay_until,
	event_position = excluded.event_position,
	event_id = excluded.event_id
