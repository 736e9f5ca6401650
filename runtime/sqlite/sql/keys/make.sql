-- eventmap: make a key
insert into {{.SubjectKeys}} (key_id, subject, generation, wrapped, wrapped_by, created_at)
values (
	?1,
	?2,
	coalesce((select max(n.generation) from {{.SubjectKeys}} as n where n.subject = ?2), 0) + 1,
	?3,
	?4,
	?5
)
