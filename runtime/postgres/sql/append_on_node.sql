-- eventmap: append on the node of the log
select
	global_position,
	aggregate_version{{if not .Single}},
	aggregate_type,
	aggregate_id{{end}}
from {{.Append}}(
	$log::text,
	$1::text[],
	$2::text[],
	$3::bigint[],
	$4::bigint[],
	$5::bigint[],
	$6::text[],
	$7::text[],
	$8::integer[],
	$9::bytea[],
	$10::text[],
	$11::text[],
	$12::text[],
	$13::text[],
	$14::timestamptz[]
)
