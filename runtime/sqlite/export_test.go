package sqlite

// Configured returns the Config that the options make.
func Configured(opts ...Option) Config {
	var c Config
	for _, o := range opts {
		o.apply(&c)
	}
	return c
}
