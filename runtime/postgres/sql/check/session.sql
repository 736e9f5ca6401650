-- eventmap: check how values come
select
	'2000-01-02 03:04:05+00'::timestamptz,
	decode('00ff', 'hex')
