package schemalock_test

import (
	"strings"
	"testing"

	"github.com/eventmap/eventmap/internal/model"
	"github.com/eventmap/eventmap/internal/schemalock"
)

func TestFindings_Write(t *testing.T) {
	t.Parallel()
	findings := schemalock.Findings{
		{
			Rule: &schemalock.Rule{Name: "field-removed", Verdict: schemalock.Breaking}, Event: "Order.Placed.v1", Field: "a",
			Pos: model.Position{File: "a,b:c%.go", Line: 3, Col: 5}, Message: "100% <gone>\nall", Remedy: "undo",
		},
		{Rule: &schemalock.Rule{Name: "version-gap", Verdict: schemalock.Warning}, Event: "Order.Placed.v3", Pos: model.Position{File: "x.go"}, Message: "m", Remedy: "r"},
	}
	for format, want := range map[schemalock.Format]string{
		schemalock.Text: "a,b:c%.go:3:5: Order.Placed.v1: 100% <gone>\nall; undo [field-removed]\nx.go: warning: Order.Placed.v3: m; r [version-gap]\n",
		schemalock.GitHubActions: "::error file=a%2Cb%3Ac%25.go,line=3,col=5,title=eventmap-gen%3A field-removed::Order.Placed.v1: 100%25 <gone>%0Aall; undo [field-removed]\n" +
			"::warning file=x.go,title=eventmap-gen%3A version-gap::Order.Placed.v3: m; r [version-gap]\n",
		schemalock.JSON: `{
  "findings": [
    {
      "rule": "field-removed",
      "verdict": "breaking",
      "event": "Order.Placed.v1",
      "field": "a",
      "file": "a,b:c%.go",
      "line": 3,
      "col": 5,
      "message": "100% <gone>\nall",
      "remedy": "undo"
    },
    {
      "rule": "version-gap",
      "verdict": "warning",
      "event": "Order.Placed.v3",
      "file": "x.go",
      "message": "m",
      "remedy": "r"
    }
  ]
}
`,
	} {
		var got strings.Builder
		if err := findings.Write(&got, format); err != nil {
			t.Fatal(err)
		}
		if got.String() != want {
			t.Errorf("%s:\ngot  %s\nwant %s", format, got.String(), want)
		}
	}
	if got := len(findings.Breaking()); got != 1 {
		t.Errorf("%d breaking, want 1", got)
	}
}
