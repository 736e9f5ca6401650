-- eventmap: check over how many logs streams are spread
select
	coalesce(max(hashed), 0),
	count(*) filter (where hashed is not null)
from {{.Logs}}
