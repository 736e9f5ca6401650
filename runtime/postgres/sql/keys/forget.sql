-- eventmap: forget keys
with given as (
	select
		g.key_id::uuid as key_id,
		g.subject,
		g.generation
	from unnest($1::text[], $2::text[], $3::integer[]) as g (key_id, subject, generation)
),
erased as (
	update {{.SubjectKeys}} as k
	set
		wrapped = null,
		wrapped_by = null,
		forgotten_at = now()
	from given as g
	where k.key_id = g.key_id
	  and k.wrapped is not null
)
insert into {{.SubjectKeys}} as k (key_id, created_at, forgotten_at, generation, subject)
select
	g.key_id,
	now(),
	now(),
	g.generation,
	g.subject
from given as g
where not exists (select from {{.SubjectKeys}} as known where known.key_id = g.key_id)
order by g.subject
on conflict do nothing
