-- eventmap: check the sequence of the positions
select
	s.seqcache,
	s.seqincrement,
	s.seqmin,
	s.seqcycle,
	has_sequence_privilege(s.seqrelid, 'select'),
	coalesce(pg_get_serial_sequence($2::text, 'global_position')::regclass::oid = s.seqrelid, false),
	coalesce(case when has_sequence_privilege(s.seqrelid, 'select') then pg_sequence_last_value(s.seqrelid) end, 0)
from pg_sequence as s
where s.seqrelid = to_regclass($1::text)
