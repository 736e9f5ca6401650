-- eventmap: save a snapshot
insert into {{.Snapshots}} as s (
{{- if .Logs}}
	log,
{{- end}}
	aggregate_type,
	aggregate_id,
	fingerprint,
	aggregate_version,
	state,
	saved_at,
	key_ids
)
values (
{{- if .Logs}}
	$log::text,
{{- end}}
	$1::text,
	$2::text,
	$3::text,
	$4::bigint,
	$5::bytea,
	$6::timestamptz,
	$7::text[]
)
on conflict ({{.Key}}aggregate_type, aggregate_id, fingerprint) do update
set
	aggregate_version = excluded.aggregate_version,
	state = excluded.state,
	key_ids = excluded.key_ids,
	saved_at = excluded.saved_at
where excluded.aggregate_version > s.aggregate_version
