-- eventmap: is there an index that begins with a column and goes on with the position
select exists (
	select 1
	from pragma_index_list({{.EventsText}}) as l
	join pragma_index_info(l.name) as first on first.seqno = 0 and first.name = ?1
	join pragma_index_info(l.name) as second on second.seqno = 1 and second.name = 'global_position'
	where not l.partial
)
