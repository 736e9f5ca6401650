package adopt

import (
	"regexp"
	"sync"
)

// A pattern is a regular expression that is compiled when it is first used, for eventmap-gen mostly runs without.
type pattern struct{ compiled func() *regexp.Regexp }

func compile(text string) pattern {
	return pattern{sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })}
}

// MatchString reports whether the text holds a match.
func (p pattern) MatchString(text string) bool { return p.compiled().MatchString(text) }
