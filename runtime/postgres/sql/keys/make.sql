-- eventmap: keys of subjects, made where they are missing
with given as (
	select
		g.key_id::uuid as key_id,
		g.subject,
		decode(g.wrapped, 'base64') as wrapped
	from unnest($1::text[], $2::text[], $3::text[]) as g (key_id, subject, wrapped)
),
newest as (
	select distinct on (k.subject)
		k.key_id,
		k.subject,
		k.generation,
		k.wrapped,
		k.wrapped_by,
		k.created_at,
		k.forgotten_at
	from {{.SubjectKeys}} as k
	where k.subject = any ($2::text[])
	order by k.subject, k.generation desc
),
made as (
	insert into {{.SubjectKeys}} as k (key_id, created_at, generation, subject, wrapped, wrapped_by)
	select
		g.key_id,
		now(),
		coalesce(n.generation, 0) + 1,
		g.subject,
		g.wrapped,
		$4::text
	from given as g
	left join newest as n on n.subject = g.subject
	where n.subject is null
	   or $5::boolean and n.forgotten_at is not null
	order by g.subject
	on conflict do nothing
	returning k.key_id, k.subject, k.generation, k.wrapped, k.wrapped_by, k.created_at, k.forgotten_at
)
select {{template "columns.sql" .}}
from made as k
union all
select {{template "columns.sql" .}}
from newest as k
where not ($5::boolean and k.forgotten_at is not null)
