-- eventmap: frontier of the log
select
	{{template "frontier" .}},
	{{template "behind" .}}
