-- eventmap: frontier of the log
select
{{- if .Logs}}
	set_config('eventmap.frontier', readable.position::text, true)::bigint as frontier,
	'read committed' as isolation, -- and at any other: positions are committed in their order
	false as standby, -- nor does that need the primary
	true as ordered,
	readable.last <> readable.found and not readable.dropped as behind
from {{template "readable" .}}
{{- else}}
	set_config('eventmap.frontier', least(drawn.position, held.lowest)::text, true)::bigint as frontier,
	current_setting('transaction_isolation') as isolation,
	pg_is_in_recovery() as standby,
	drawn.position >= 0 and (
		select s.cache_size = 1 and s.increment > 0 and not s.cycle_option
		from pg_sequence_parameters('{{.Sequence}}'::regclass) as s
	) as ordered,
	{{template "beyond" .}} is not null as behind
from {{template "frontier" .}}
{{- end}}
