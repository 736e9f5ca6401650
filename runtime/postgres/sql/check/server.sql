-- eventmap: check the server
select
	current_setting('server_version_num')::integer,
	current_setting('server_version'),
	pg_is_in_recovery(),
	current_setting('default_transaction_isolation'),
	current_setting('server_encoding'),
	current_setting('client_encoding'),
	current_setting('DateStyle'),
	current_setting('bytea_output')
