-- eventmap: which streams have parked events
select distinct
	aggregate_type,
	aggregate_id
from {{.Parked}}
where {{.Of ""}}consumer = $1::text
  and aggregate_type = any ($2::text[])
  and aggregate_id = any ($3::text[])
