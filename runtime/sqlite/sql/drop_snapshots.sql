-- eventmap: drop snapshots
delete from {{.Snapshots}} as s
where (?1 = '' or aggregate_type = ?1)
  and (?2 = '' or aggregate_id = ?2)
  and (?3 is null or saved_at < ?3)
  and (?4 is null or not exists (
	select 1
	from {{.Snapshots}} as later
	where later.aggregate_type = s.aggregate_type
	  and later.fingerprint = s.fingerprint
	  and later.saved_at >= ?4
  ))
