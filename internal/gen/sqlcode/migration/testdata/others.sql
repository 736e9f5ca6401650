-- others: what the SQL has no reason to create. Object IDs from 16384 on are the user's.
select 'function ' || oid::regprocedure from pg_proc where oid >= 16384
union all
select 'trigger ' || tgname from pg_trigger where oid >= 16384 and not tgisinternal
union all
select 'type ' || oid::regtype from pg_type where oid >= 16384 and typrelid = 0 and typelem = 0
union all
select 'rule ' || rulename from pg_rewrite where oid >= 16384 and rulename <> '_RETURN' -- that is a view
union all
select 'extension ' || extname from pg_extension where oid >= 16384;
