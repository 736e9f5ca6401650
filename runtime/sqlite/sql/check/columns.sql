-- eventmap: check the columns of a table
select
	name,
	lower(type),
	"notnull" or pk > 0,
	dflt_value is not null
from pragma_table_info(?1)
order by cid
