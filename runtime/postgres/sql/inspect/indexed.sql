-- eventmap: is there an index that begins with a column and goes on with the position
{{- if .End}}
select $1::text is null -- in one of many logs each begins with the log
{{- else}}
select exists (
	select
	from pg_index as i
	join pg_attribute as first on first.attrelid = i.indrelid and first.attnum = i.indkey[0]
	join pg_attribute as second on second.attrelid = i.indrelid and second.attnum = i.indkey[1]
	where i.indrelid = '{{.Events}}'::regclass
	  and i.indisvalid
	  and i.indpred is null
	  and first.attname = $1::text
	  and second.attname = 'global_position'
)
{{- end}}
