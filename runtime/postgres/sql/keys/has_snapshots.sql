-- eventmap: is there a table of snapshots
select to_regclass($1::text) is not null
