-- eventmap: check which node of Citus the server is
select groupid::bigint from pg_dist_local_group
