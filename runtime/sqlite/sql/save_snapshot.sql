-- eventmap: save a snapshot
insert into {{.Snapshots}} (
	aggregate_type,
	aggregate_id,
	fingerprint,
	aggregate_version,
	state,
	saved_at,
	key_ids
)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
on conflict (aggregate_type, aggregate_id, fingerprint) do update
set
	aggregate_version = excluded.aggregate_version,
	state = excluded.state,
	key_ids = excluded.key_ids,
	saved_at = excluded.saved_at
where excluded.aggregate_version > {{.Snapshots}}.aggregate_version
