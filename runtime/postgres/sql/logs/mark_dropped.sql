-- eventmap: mark a log as dropped
with marked as (
	update {{.Logs}}
	set
		dropped_at = coalesce(dropped_at, $2::timestamptz),
		position = 0,
		settled = 0
	where log = $1::text
	returning log
)
select exists (select from marked)
