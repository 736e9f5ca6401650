-- eventmap: append {{len .Rows}} events
insert into {{.Events}} (
	{{template "columns"}}
)
values
{{- range $i, $row := .Rows}}{{if $i}},{{end}}
	(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
{{- end}}
