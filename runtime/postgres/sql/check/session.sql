-- eventmap: check how values come
select
	'2000-01-02 03:04:05+00'::timestamptz,
	'\x00ff'::bytea
