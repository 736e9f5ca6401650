-- eventmap: drop what belongs to a log
with deleted as (
	delete from {{.Table}} as t
	where t.log = $1::text
	  and t.ctid = any (array(
		select d.ctid
		from {{.Table}} as d
		where d.log = $1::text
		limit $2::bigint
	  ))
	returning 1
)
select count(*) from deleted
