
	k.key_id,
	k.subject,
	k.generation,
	k.wrapped,
	coalesce(k.wrapped_by, ''),
	coalesce(k.forgotten_at, '')