package schemalock

import (
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/mod/module"
)

// A Move says that packages have other import paths than when a lock was written: the one at Old and all below it lie at
// and below New now.
type Move struct{ Old, New string }

// ParseMove reads OLD=NEW.
func ParseMove(text string) (Move, error) {
	from, to, ok := strings.Cut(strings.TrimSpace(text), "=")
	if !ok {
		return Move{}, fmt.Errorf("--moved %q: write OLD=NEW, the import path before and after, such as example.com/shop=example.com/store", text)
	}
	for _, path := range []string{from, to} {
		if err := module.CheckImportPath(path); err != nil {
			return Move{}, fmt.Errorf("--moved %q: %w", text, err)
		}
	}
	return Move{Old: from, New: to}, nil
}

// String returns OLD=NEW.
func (m Move) String() string { return m.Old + "=" + m.New }

// move names the types of a lock as they are called since packages moved, and returns the moves of which it has no type.
// Of several moves, the longest path that fits a type counts.
func (l *Lock) move(moves []Move) (unused []Move) {
	if len(moves) == 0 {
		return nil
	}
	used := map[Move]bool{}
	rename := func(id *string) { *id = moved(*id, moves, used) }
	for i := range l.Streams {
		rename(&l.Streams[i].ID)
	}
	for i := range l.Events {
		rename(&l.Events[i].Type)
		for shape := range l.Events[i].Payload.All() {
			rename(&shape.Type)
		}
	}
	for _, m := range moves {
		if !used[m] {
			unused = append(unused, m)
		}
	}
	return unused
}

// qualified matches the names of types with their import paths, within the type arguments of others too.
var qualified = regexp.MustCompile(`[^\s\[\](){}*,;"]+`)

// moved returns the identity of a type after the moves.
func moved(id string, moves []Move, used map[Move]bool) string {
	return qualified.ReplaceAllStringFunc(id, func(name string) string {
		path, _ := cutType(name)
		var fits Move
		for _, m := range moves {
			if (path == m.Old || strings.HasPrefix(path, m.Old+"/")) && len(m.Old) > len(fits.Old) {
				fits = m
			}
		}
		if fits.Old == "" {
			return name
		}
		used[fits] = true
		return fits.New + strings.TrimPrefix(name, fits.Old)
	})
}

// askMoved asks whether a type that has the same name in another package was moved, or returns nothing.
func askMoved(was, is string) string {
	from, name := cutType(was)
	to, sameName := cutType(is)
	if name != sameName || from == to {
		return ""
	}
	for {
		i, j := strings.LastIndexByte(from, '/'), strings.LastIndexByte(to, '/')
		if i < 0 || j < 0 || from[i:] != to[j:] {
			break
		}
		from, to = from[:i], to[:j]
	}
	m := Move{from, to}
	if moved(was, []Move{m}, map[Move]bool{}) != is {
		return ""
	}
	return fmt.Sprintf(" (was its package moved? --moved %v)", m)
}

// cutType splits the identity of a type into its import path and its name, without type arguments.
func cutType(id string) (path, name string) {
	bare, _, _ := strings.Cut(id, "[")
	i := strings.LastIndexByte(bare, '.')
	if i < 0 {
		return "", bare
	}
	return bare[:i], bare[i+1:]
}
