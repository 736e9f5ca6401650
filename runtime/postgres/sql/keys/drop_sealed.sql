-- eventmap: drop the snapshots that are sealed with keys
delete from {{.Snapshots}} as s
where s.key_ids && $1::text[]
