package postgres

import (
	"embed"
	"fmt"
	"strings"
	"text/template"
)

// keyStatements are the SQL texts of a KeyStore, constant for its life.
type keyStatements struct {
	make         string
	byID         string
	bySubject    string
	forgotten    string
	notWrappedBy string
	forget       string
	hasSnapshots string
	dropSealed   string
	rewrap       string
}

//go:embed sql/keys/*.sql
var keyFiles embed.FS

// renderKeys returns the statements for the tables; see render.
func renderKeys(t keyTables) (keyStatements, error) {
	parsed, err := template.ParseFS(keyFiles, "sql/keys/*.sql")
	if err != nil {
		return keyStatements{}, fmt.Errorf("embedded SQL: %w", err)
	}
	with := struct{ SubjectKeys, Snapshots string }{t.keys.Quoted(), t.snapshots.Quoted()}
	var s keyStatements
	for _, part := range []struct {
		text *string
		file string
	}{
		{&s.make, "make.sql"},
		{&s.byID, "by_id.sql"},
		{&s.bySubject, "by_subject.sql"},
		{&s.forgotten, "forgotten.sql"},
		{&s.notWrappedBy, "not_wrapped_by.sql"},
		{&s.forget, "forget.sql"},
		{&s.hasSnapshots, "has_snapshots.sql"},
		{&s.dropSealed, "drop_sealed.sql"},
		{&s.rewrap, "rewrap.sql"},
	} {
		var b strings.Builder
		if err := parsed.ExecuteTemplate(&b, part.file, with); err != nil {
			return keyStatements{}, fmt.Errorf("embedded SQL: %w", err)
		}
		*part.text = b.String()
	}
	return s, nil
}
