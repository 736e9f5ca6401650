-- eventmap: remove parked events
delete from {{.Parked}}
where consumer = ?1
  and (?2 is null or global_position in (select value from json_each(?2)))
returning global_position
