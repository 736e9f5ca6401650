-- eventmap: which streams have parked events
select distinct
	aggregate_type,
	aggregate_id
from {{.Parked}}
where consumer = ?1
  and aggregate_id in (select value from json_each(?2))
