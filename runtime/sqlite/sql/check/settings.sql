-- eventmap: check the settings of a connection
select
	(select file <> '' from pragma_database_list where name = 'main'),
	(select journal_mode from pragma_journal_mode),
	(select synchronous from pragma_synchronous),
	(select timeout from pragma_busy_timeout)
