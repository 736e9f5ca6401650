-- eventmap: forget a key
insert into {{.SubjectKeys}} (key_id, subject, generation, created_at, forgotten_at)
values (?1, ?2, ?3, ?4, ?4)
on conflict (key_id) do update
set
	wrapped = null,
	wrapped_by = null,
	forgotten_at = excluded.forgotten_at
where wrapped is not null
on conflict (subject, generation) do nothing
