-- eventmap: store keys that were wrapped anew
update {{.SubjectKeys}} as k
set
	wrapped = decode(g.wrapped, 'base64'),
	wrapped_by = $3::text
from unnest($1::text[], $2::text[]) as g (key_id, wrapped)
where k.key_id = g.key_id::uuid
  and k.wrapped is not null
