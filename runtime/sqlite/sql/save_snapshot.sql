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
-- Not by values: what is selected may fail in the middle, so SQLite can undo the statement alone where the disk is full.
select ?1, ?2, ?3, ?4, ?5, ?6, ?7
where true
on conflict (aggregate_type, aggregate_id, fingerprint) do update
set
	aggregate_version = excluded.aggregate_version,
	state = excluded.state,
	key_ids = excluded.key_ids,
	saved_at = excluded.saved_at
where excluded.aggregate_version > {{.Snapshots}}.aggregate_version
