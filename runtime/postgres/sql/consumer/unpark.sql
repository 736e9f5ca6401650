-- eventmap: remove parked events
with removed as (
	delete from {{.Parked}}
	where consumer = $1::text
	{{- if .Logs}}
  and ($log::text = '' or log = $log::text)
{{- end}}
  and ($2::bigint[] is null or global_position = any ($2::bigint[]))
	returning global_position
)
select count(*) from removed
