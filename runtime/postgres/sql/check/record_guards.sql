-- eventmap: check the guards of a record
select
	exists (
		select
		from pg_trigger
		where tgrelid = to_regclass($1::text)
		  and tgname = $2::text
		  and tgenabled <> 'D'
	),
	exists (
		select
		from pg_constraint
		where conrelid = to_regclass($1::text)
		  and conname = $3::text
	),
	to_regprocedure($4::text) is not null
