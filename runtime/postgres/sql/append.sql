-- eventmap: append {{if .Single}}one event{{else}}events{{end}} to {{if .Creates}}a new or any stream{{else}}an existing stream{{end}}
with {{template "held" .}}head as (
{{- if .Creates}}
	insert into {{.Heads}} as h ({{.Key}}aggregate_type, aggregate_id, aggregate_version)
	{{if .Logs}}select {{.Log}}$1::text, $2::text, $5::bigint
	from held{{else if .Looked}}select $1::text, $2::text, $5::bigint
	where {{template "drawn" .}}{{else}}values ($1::text, $2::text, $5::bigint){{end}}
	on conflict ({{.Key}}aggregate_type, aggregate_id) do update
	set aggregate_version = h.aggregate_version + excluded.aggregate_version
	where h.aggregate_version between $3::bigint and $4::bigint
{{- else}}
	update {{.Heads}} as h
	set aggregate_version = h.aggregate_version + $5::bigint
{{- if .Logs}}
	from held
{{- end}}
	where {{.Of "h"}}h.aggregate_type = $1::text
	  and h.aggregate_id = $2::text
	  and h.aggregate_version between $3::bigint and $4::bigint
{{- if .Looked}}
	  and {{template "drawn" .}}
{{- end}}
{{- end}}
	returning
		h.aggregate_version - $5::bigint as aggregate_version
{{- if not .Logs}},
		case
			when h.cmin = '0'::cid then {{template "lock" .}}
			when current_setting({{template "setting" .}}, true) = pg_current_xact_id()::text then 'held'
			else set_config({{template "setting" .}}, pg_current_xact_id()::text || {{template "lock" .}}, true)
		end as fence
{{- if not .Looked}},
		{{template "sound" .}} as sound
{{- end}}
{{- end}}
){{if .Logs}}, counted as (
	update {{.Logs}} as l
	set
		{{template "count" "$5::bigint"}}
	from head
	where l.log = $log::text
	returning l.position - $5::bigint as position
){{end}}{{if .Notify}}, stored as ({{else}}
{{end}}
insert into {{.Events}} (
	{{.Place}}{{template "columns" "payload"}}
)
select
	{{- if .Logs}}
	$log::text,
	counted.position + {{if .Single}}1{{else}}e.ordinal{{end}},
	{{- end}}
	$1::text,
	$2::text,
{{- if .Single}}
	head.aggregate_version + 1,
	$6::uuid,
	$7::text,
	$8::integer,
	{{.Stored "$9::bytea"}},
	$10::text,
	$11::text,
	$12::text,
	$13::json,
	$14::timestamptz
from head
{{- template "admitted" .}}
{{- else}}
	head.aggregate_version + e.ordinal,
	{{template "values" .}}
from head
cross join unnest(
	$6::text[],
	$7::text[],
	$8::integer[],
	$9::bytea[],
	$10::text[],
	$11::text[],
	$12::text[],
	$13::text[],
	$14::timestamptz[]
) with ordinality as e (
	{{template "arrays"}}
)
{{- template "admitted" .}}
order by e.ordinal
{{- end}}
returning global_position, aggregate_version
{{- if .Notify}}
), {{template "notified" "$15"}}
select
	stored.global_position,
	stored.aggregate_version
from stored
{{- template "sent" .}}
{{- end}}
