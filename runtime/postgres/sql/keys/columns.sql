
	k.key_id::text,
	k.subject,
	k.generation,
	k.wrapped,
	coalesce(k.wrapped_by, ''),
	k.created_at,
	coalesce(k.forgotten_at, 'epoch'::timestamptz) as forgotten_at,
	-- A row that this transaction wrote has the time at which the transaction began, and may be rolled back. In READ
	-- COMMITTED all else is as it is now.
	k.created_at <> now()
		and k.forgotten_at is distinct from now()
		and current_setting('transaction_isolation') in ('read committed', 'read uncommitted') as settled