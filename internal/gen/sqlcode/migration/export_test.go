package migration

import "github.com/eventmap/eventmap/internal/gen/sqlcode/design"

// WithUpgrade returns the writer of a migrate-gen of the next schema version, to which tables get by up and from which they
// get back by down.
func (w Writer) WithUpgrade(up, down string) Writer {
	w.upgrades = append(w.upgrades[:len(w.upgrades):len(w.upgrades)], upgrade{up, down})
	return w
}

// Upgrade returns an error if this release does not know how tables get to a version of the schema.
func Upgrade(dialect *design.Dialect, version int) error {
	_, err := Writer{}.upgrade(dialect, version)
	return err
}
