-- eventmap: check what the server is
select
	version(),
	current_setting('client_encoding'),
	current_setting('DateStyle'),
	current_setting('bytea_output'),
	to_regclass('pg_dist_partition') is not null,
	to_regclass('pg_dist_local_group') is not null,
	coalesce(current_setting('citus.task_assignment_policy', true), ''),
	exists (
		select
		from pg_attribute as a
		where a.attrelid = to_regclass($1::text)
		  and a.attname = 'log'
		  and a.attnotnull
		  and not a.attisdropped
	)
