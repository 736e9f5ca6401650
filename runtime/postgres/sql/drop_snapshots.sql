-- eventmap: drop snapshots
with dropped as (
	delete from {{.Snapshots}} as s
	where {{if not .Spread}}{{.Of "s"}}{{end}}($1::text = '' or s.aggregate_type = $1::text)
	  and ($2::text = '' or s.aggregate_id = $2::text)
	  and ($3::timestamptz is null or s.saved_at < $3::timestamptz)
	  and ($4::timestamptz is null or not exists (
		select
		from {{.Snapshots}} as later
		where {{if .Append}}{{.Of "later"}}{{end}}later.aggregate_type = s.aggregate_type
		  and later.fingerprint = s.fingerprint
		  and later.saved_at >= $4::timestamptz
	  ))
	returning 1
)
select count(*)
from dropped
