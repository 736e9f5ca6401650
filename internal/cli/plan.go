package cli

import (
	"strings"

	"github.com/eventmap/eventmap/internal/annotation"
	"github.com/eventmap/eventmap/internal/model"
	"github.com/eventmap/eventmap/internal/output"
)

// Check prints what applying the plan would change as a unified diff, and returns Done if that is nothing, else
// Different.
func (c Command) Check(plan *output.Plan) (code int) {
	if plan.IsCurrent() {
		return Done
	}
	var diff strings.Builder
	if err := plan.WriteDiff(&diff); err != nil {
		return c.Fail(err)
	}
	if code := c.Print(diff.String()); code != Done {
		return code
	}
	for _, change := range plan.Changes {
		if c.Annotates {
			_ = annotation.Annotation{Severity: "error", Pos: model.Position{File: change.Path}, Title: c.Name, Text: "it is not what " + c.Name + " generates now; run it, and commit what it writes"}.Write(c.Stdout)
		}
	}
	return Different
}

// Apply makes the changes of the plan and prints the path of each file that was written, and "removed" before that of
// each that went.
func (c Command) Apply(plan *output.Plan) (code int) {
	if err := plan.Apply(); err != nil {
		return c.Fail(err)
	}
	var paths strings.Builder
	for _, change := range plan.Changes {
		if change.New == nil {
			paths.WriteString("removed ")
		}
		paths.WriteString(change.Path + "\n")
	}
	return c.Print(paths.String())
}
