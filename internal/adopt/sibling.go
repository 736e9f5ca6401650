package adopt

import (
	"bytes"
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"strings"

	"github.com/eventmap/eventmap/internal/astscan"
	"github.com/eventmap/eventmap/internal/model"
)

// readSiblings takes the structs that are events by where they stand and what they are called, for code declares events
// before it uses them, and keeps those that it no longer makes. One beside other events, in a file or with a comment that
// speaks of events, is taken; else a person is asked.
func (s *search) readSiblings() {
	beside := map[*ast.File][]*candidate{}
	for _, c := range s.order {
		if c.isEvent() && s.notEvent(c) == "" && !c.generated {
			beside[c.file] = append(beside[c.file], c)
		}
	}
	for _, c := range s.order {
		isNamed := strings.HasSuffix(c.obj.Name(), "Event") && c.obj.Name() != "Event"
		if c.isEvent() || c.marked || c.generated || c.structType() == nil || s.held[c.obj] || !isNamed && !astscan.SoundsLikeEvent(c.obj.Name()) {
			continue
		}
		if why := s.notEvent(c); why != "" {
			if isNamed && !c.folds {
				s.note(c.obj.Pos(), "%v is not marked, though its name says that it is an event: %s", c, why)
			}
			continue
		}
		file := filepath.Base(s.Pos(c.obj.Pos()).File)
		speaks := isNamed || strings.Contains(strings.ToLower(file), "event") || strings.Contains(strings.ToLower(docText(c)), "event")
		switch events := beside[c.file]; {
		case len(events) > 0 && speaks && c.obj.Exported():
			c.because("it stands beside the event %v in %s, and sounds like one", events[0], file)
			for state := range events[0].aggregates {
				c.aggregates[state] = c.strong[0]
			}
		case len(events) > 0 || speaks:
			s.ask(c.obj.Pos(), "%v sounds like an event, but nothing uses it as one; mark it //eventmap:event or //eventmap:ignore", c)
		}
	}
}

// docText returns the text of a type's doc comment.
func docText(c *candidate) string {
	if c.spec.Doc != nil {
		return c.spec.Doc.Text()
	}
	return c.decl.Doc.Text()
}

// noteExcluded notes the files that build constraints exclude and that speak of events: what is found depends on the tags.
func (s *search) noteExcluded() {
	for _, pkg := range s.Packages {
		for _, name := range pkg.Ignored {
			if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
				continue
			}
			text, err := os.ReadFile(name)
			if err != nil || !bytes.Contains(bytes.ToLower(text), []byte("event")) {
				continue // the go command saw it; gone since, it has no events
			}
			note := "build constraints exclude this file, which speaks of events: it is not read; name its tags with --tags"
			if bytes.Contains(text, []byte("\nimport \"C\"")) {
				note = "this file, which speaks of events, uses cgo and is not read; install a C compiler and set CGO_ENABLED=1"
			}
			s.proposal.Notes = append(s.proposal.Notes, model.Note{Pos: s.Dir.Position(token.Position{Filename: name, Line: 1, Column: 1}), Text: note})
		}
	}
}
