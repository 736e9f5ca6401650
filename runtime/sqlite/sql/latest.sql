-- eventmap: latest position
select coalesce(max(global_position), 0) from {{.Events}}
