package annotation_test

import (
	"strings"
	"testing"

	"github.com/eventmap/eventmap/internal/annotation"
	"github.com/eventmap/eventmap/internal/model"
)

func TestAnnotation_Write_escapes(t *testing.T) {
	t.Parallel()
	for want, a := range map[string]annotation.Annotation{
		"::error file=a%2Cb%3Ac%25.go,line=3,col=5,title=tool%3A x::100%25%0Aall\n": {Severity: "error", Pos: model.Position{File: "a,b:c%.go", Line: 3, Col: 5}, Title: "tool: x", Text: "100%\nall"},
		"::warning title=tool::a:b,c\n":                                             {Severity: "warning", Title: "tool", Text: "a:b,c"},
	} {
		var b strings.Builder
		if err := a.Write(&b); err != nil || b.String() != want {
			t.Errorf("got %q, %v, want %q", b.String(), err, want)
		}
	}
}
