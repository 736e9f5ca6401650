package sqlite

import "embed"

// keyStatements are the SQL texts of a KeyStore, constant for its life.
type keyStatements struct {
	newest       string
	make         string
	byID         string
	bySubject    string
	forgotten    string
	notWrappedBy string
	forget       string
	dropSealed   string
	rewrap       string
}

//go:embed sql/keys/*.sql
var keyFiles embed.FS

// renderKeys returns the statements for the tables; see render.
func renderKeys(t tables) (keyStatements, error) {
	plain := variant{tables: t}
	var s keyStatements
	err := fill(keyFiles, []part{
		{&s.newest, "newest.sql", plain},
		{&s.make, "make.sql", plain},
		{&s.byID, "by_id.sql", plain},
		{&s.bySubject, "by_subject.sql", plain},
		{&s.forgotten, "forgotten.sql", plain},
		{&s.notWrappedBy, "not_wrapped_by.sql", plain},
		{&s.forget, "forget.sql", plain},
		{&s.dropSealed, "drop_sealed.sql", plain},
		{&s.rewrap, "rewrap.sql", plain},
	}, "sql/keys/*.sql")
	return s, err
}
