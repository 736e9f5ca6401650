-- eventmap: count parked events
select count(*)
from {{.Parked}}
where consumer = ?1
