-- eventmap: check the views of a record
select v.name
from unnest($1::text[], $2::text[]) with ordinality as v (name, quoted, place)
where to_regclass(v.quoted) is null
order by v.place
