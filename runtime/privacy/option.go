package privacy

import "time"

// An Option changes how [Keys] work.
type Option func(*config)

type config struct {
	ttl     time.Duration
	size    int
	wrapper string
	old     map[string]KeyWrapper
	now     func() time.Time
}

// WithTTL sets how long a key may be used without asking the database again, and so how long after [Keys.Forget] another
// process may still read the subject's data. The default is one minute; 0 or less caches nothing.
func WithTTL(d time.Duration) Option { return func(c *config) { c.ttl = d } }

// WithCacheSize sets how many keys are cached at most. The default is 10,000, which takes about 10 MB.
func WithCacheSize(keys int) Option { return func(c *config) { c.size = keys } }

// WithWrapperName names the wrapper, or the version of the key that it uses in its service. The name is stored with each key,
// so that [Keys.Rewrap] finds the keys that another one wrapped. The default is "default".
func WithWrapperName(name string) Option { return func(c *config) { c.wrapper = name } }

// WithOldWrapper gives the wrapper of keys that were stored under another name and have not been wrapped again yet. A name
// that has no wrapper of its own is tried with the current one, as services that keep old versions of a key allow.
func WithOldWrapper(name string, wrapper KeyWrapper) Option {
	return func(c *config) {
		if c.old == nil {
			c.old = make(map[string]KeyWrapper)
		}
		c.old[name] = wrapper
	}
}

// WithClock sets the clock by which cached keys expire. The default is time.Now.
func WithClock(now func() time.Time) Option { return func(c *config) { c.now = now } }
