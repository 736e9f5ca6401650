-- eventmap: check a table
select
	c.oid::bigint,
	c.relkind::text,
	c.relpersistence = 'u',
	coalesce(obj_description(c.oid, 'pg_class'), ''),
	has_table_privilege(c.oid, 'select'),
	has_table_privilege(c.oid, 'insert'),
	has_table_privilege(c.oid, 'update'),
	has_table_privilege(c.oid, 'delete')
from pg_class as c
where c.oid = to_regclass($1::text)
