-- eventmap: check how a table was made
select sql
from sqlite_schema
where type = 'table'
  and name = ?1 collate nocase
