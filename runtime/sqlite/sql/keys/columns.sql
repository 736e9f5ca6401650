
	k.key_id,
	k.subject,
	k.generation,
	k.wrapped,
	coalesce(k.wrapped_by, ''),
	k.created_at,
	coalesce(k.forgotten_at, '')