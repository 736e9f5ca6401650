package sqlcode

// WithUpgrade returns the options of a migrate-gen of the next schema version, to which tables get by up and from which
// they get back by down.
func (o Options) WithUpgrade(up, down string) Options {
	o.upgrades = append(o.upgrades[:len(o.upgrades):len(o.upgrades)], upgrade{up, down})
	return o
}

// Upgrade returns an error if this release does not know how tables get to a version of the schema.
func Upgrade(version int) error {
	_, err := Options{}.upgrade(version)
	return err
}
