-- eventmap: check the partitions of a table
select
	c.relname::text,
	pg_get_expr(c.relpartbound, c.oid),
	p.partstrat::text,
	c.reltuples > 0
from pg_inherits as i
join pg_class as c on c.oid = i.inhrelid
join pg_partitioned_table as p on p.partrelid = i.inhparent
where i.inhparent = $1::bigint::oid
order by c.relname
