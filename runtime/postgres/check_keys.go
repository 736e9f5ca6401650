package postgres

import "errors"

var keyColumns = []column{
	{name: "key_id", types: []string{"uuid"}},
	{name: "subject", types: []string{"text"}},
	{name: "generation", types: []string{"integer"}},
	{name: "wrapped", types: []string{"bytea"}, nullable: true},
	{name: "wrapped_by", types: []string{"text"}, nullable: true},
	{name: "created_at", types: []string{"timestamp with time zone"}},
	{name: "forgotten_at", types: []string{"timestamp with time zone"}, nullable: true},
}

// keyTable checks the table of keys, which only domains with personal data have. Which role may erase keys is its owner's to say.
func (k *checker) keyTable(t keyTables, needed bool) error {
	find := k.find
	if needed {
		find = k.table
	}
	r, err := find(t.keys, "select", "insert")
	if err != nil || r == nil {
		return err
	}
	return errors.Join(k.columns(t.keys, r, keyColumns), k.keys(t.keys, r,
		key{"key_id", t.keys.PrimaryKey(), "primary key"},
		key{"subject, generation", t.keys.SubjectGenerationKey(), "unique"}))
}
