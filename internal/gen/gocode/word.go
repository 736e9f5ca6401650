package gocode

import (
	"sync"

	"github.com/dave/jennifer/jen"
)

// words are identifiers, with the import paths of their packages. Code is made of few of them, again and again, so each is
// built once. Several goroutines may use them.
type words struct {
	mu    sync.RWMutex
	built map[word]*jen.Statement
}

// A word is an identifier, and the path of the package that declares it if it is to be qualified.
type word struct{ path, name string }

// libraryWords are those of the packages that generated code imports.
var libraryWords = newWords()

func newWords() *words { return &words{built: map[word]*jen.Statement{}} }

// of returns a statement that is the identifier, and may be added to.
func (w *words) of(path, name string) *jen.Statement {
	key := word{path, name}
	w.mu.RLock()
	built := w.built[key]
	w.mu.RUnlock()
	if built == nil {
		if built = jen.Id(name); path != "" {
			built = jen.Qual(path, name)
		}
		w.mu.Lock()
		w.built[key] = built
		w.mu.Unlock()
	}
	return built.Clone()
}
