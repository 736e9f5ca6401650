-- eventmap: inspect the frontier
select {{template "frontier" .}}
