-- eventmap: drop snapshots
delete from {{.Snapshots}}
where (?1 = '' or aggregate_type = ?1)
  and (?2 = '' or aggregate_id = ?2)
  and (?3 is null or saved_at < ?3)
