-- eventmap: check the unique keys of a table
select (
	select group_concat(c.name, ', ')
	from pragma_index_info(i.name) as c
)
from pragma_index_list(?1) as i
where i."unique"
  and not i.partial
