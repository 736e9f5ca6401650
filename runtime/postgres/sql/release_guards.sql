-- eventmap: remove the heads that guards made for streams that do not exist
delete from {{.Heads}} as h
using unnest(
	$1::text[],
	$2::text[]
) as g (
	aggregate_type,
	aggregate_id
)
where {{if .Logs}}h.log = {{.LogOf "g.aggregate_id"}}
  and {{end}}h.aggregate_type = g.aggregate_type
  and h.aggregate_id = g.aggregate_id
  and h.aggregate_version = 9223372036854775807
