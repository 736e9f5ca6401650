-- eventmap: remove the checkpoints of segments that are no more
delete from {{.Checkpoints}}
where consumer = ?1
  and segment >= ?2
