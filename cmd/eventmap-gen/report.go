package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/eventmap/eventmap/internal/cli"
	"github.com/eventmap/eventmap/internal/gen/gocode"
	"github.com/eventmap/eventmap/internal/model"
	"github.com/eventmap/eventmap/internal/output"
	"github.com/eventmap/eventmap/internal/schemalock"
)

// owner knows our files: Go by its header, and the lock by its form. Go files that a run no longer makes go, as does the
// file of scenarios, whatever the package that it is for was called.
var owner = output.Owner{
	Tool:     "eventmap-gen",
	IsOurs:   func(content []byte) bool { return gocode.IsOurs(content) || schemalock.IsOurs(content) },
	IsOrphan: gocode.IsOrphan,
	Nested:   gocode.ScenarioFile,
}

// explain says what was found and why.
func explain(w io.Writer, domain *model.Domain) {
	for _, note := range domain.Notes {
		_, _ = fmt.Fprintf(w, "%s: %s\n", note.Pos, note.Text)
	}
}

// summarize writes what changed in the set of events, what is doubtful, and what is stored as nobody may want it. Where
// nothing changed and nothing is doubtful, it is silent. What a fold does may be doubtful after an edit of any code.
func (s *settings) summarize(command cli.Command, domain *model.Domain, judged *schemalock.Judgement) {
	w := command.Stderr
	if tags := s.scan.Tags; len(tags) > 0 && len(judged.Changes) > 0 {
		_, _ = fmt.Fprintf(w, "events with the build tags %s:\n", strings.Join(tags, ", "))
	}
	for _, change := range judged.Changes {
		_, _ = fmt.Fprintln(w, change)
	}
	for _, doubt := range domain.Doubts {
		_, _ = fmt.Fprintf(w, "? %s: %s\n", doubt.Pos, doubt.Text)
		command.Annotate("warning", doubt)
	}
	refolded := slices.ContainsFunc(judged.Findings, func(f schemalock.Finding) bool { return f.Rule.Name == "fold-changed" })
	if len(judged.Changes) == 0 && !refolded {
		return
	}
	for _, warning := range domain.Warnings {
		_, _ = fmt.Fprintf(w, "%s: warning: %s\n", warning.Pos, warning.Text)
		command.Annotate("warning", warning)
	}
}

// tell writes the findings: as text beside the other problems, and in a form for machines to standard output, which for
// JSON is then nobody else's. It returns the command that is to write the rest.
func (s *settings) tell(command cli.Command, judged *schemalock.Judgement) (cli.Command, error) {
	findings, format := judged.Findings, schemalock.Format(s.format)
	for _, name := range judged.Unused {
		_, _ = fmt.Fprintf(command.Stderr, "%s: --accept-breaking %s: there is no breaking change of it; remove it, or one to come is accepted as well\n", command.Name, name)
	}
	for _, move := range judged.Unmoved {
		_, _ = fmt.Fprintf(command.Stderr, "%s: --moved %v: the lock has no type of %s; remove the flag\n", command.Name, move, move.Old)
	}
	if format == schemalock.Text {
		return command, findings.Write(command.Stderr, format)
	}
	err := findings.Write(command.Stdout, format)
	if format == schemalock.JSON {
		command.Stdout = command.Stderr
	}
	return command, err
}
