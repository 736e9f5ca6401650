-- eventmap: drop the snapshots that are sealed with a key
delete from {{.Snapshots}}
where exists (select 1 from json_each(key_ids) as sealed where sealed.value = ?1)
