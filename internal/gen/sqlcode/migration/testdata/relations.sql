-- relations: what has a name among the tables of the user's schemas.
select n.nspname || '.' || c.relname
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
order by (n.nspname || '.' || c.relname) collate "C";
