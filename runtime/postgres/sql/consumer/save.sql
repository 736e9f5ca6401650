-- eventmap: save a checkpoint
with saved as (
	update {{.Checkpoints}} as c
	set position = $3::bigint,
		handled = case when $3::bigint < (select max(h.position) from unnest(c.handled) as h (position)) then c.handled end,
		failures = $4::integer,
		failed_position = $5::bigint,
		last_error = $6::text,
		retry_at = {{template "clock" .}} + $7::double precision * interval '1 second',
		stopped_at = case when $8::boolean then {{template "clock" .}} end,
		updated_at = {{template "clock" .}},
		event_position = {{template "reached" "$3::bigint"}},
{{- if .Apart}}
		event_id = $10::uuid
{{- else}}
		event_id = coalesce(
			(
				select e.event_id
				from {{.Events}} as e
				where {{.Same "e" "c"}}e.global_position <= {{template "reached" "$3::bigint"}}
				order by e.global_position desc
				limit 1
			),
			{{template "nothing"}}
		)
{{- end}}
	where c.consumer = $1::text
	  and c.{{template "part" .}}
	  and pg_current_xact_id()::text = $9::text
	returning 1
)
-- Division by zero, where the transaction is not that of the claim: the commit that is sent with this must not happen.
select 1 / count(*) from saved
