-- eventmap: create the checkpoints of a consumer
with first as (
	insert into {{.Checkpoints}} (consumer, segment, segments)
	values ($1::text, 0, $2::integer)
	on conflict (consumer, segment) do nothing
	returning segment
)
insert into {{.Checkpoints}} (consumer, segment, segments)
select
	$1::text,
	s.segment,
	$2::integer
from first
cross join generate_series(1, $2::integer - 1) as s (segment)
