package schemalock

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/eventmap/eventmap/internal/annotation"
	"github.com/eventmap/eventmap/internal/model"
)

// A Finding is a change that is not simply taken.
type Finding struct {
	Rule    *Rule
	Event   string         // such as Order.Placed.v1; of an aggregate that is renamed, its old name; empty: it is about the lock
	Field   string         // such as lines[].price; empty: the event as a whole
	Pos     model.Position // in the source, or, of what is no longer there, in the lock
	Message string
	Remedy  string
}

// Missing returns the finding that the lock is not where it should be.
func Missing(path string) Finding {
	r := rule("lock-missing")
	return Finding{Rule: r, Pos: model.Position{File: path}, Message: "the lock is missing, though there is code that was generated before: nothing is compared", Remedy: r.Remedy}
}

// Findings are all that one comparison found.
type Findings []Finding

// Breaking returns those that stop the run.
func (fs Findings) Breaking() Findings {
	return slices.DeleteFunc(slices.Clone(fs), func(f Finding) bool { return f.Rule.Verdict != Breaking })
}

// sorted orders the findings by position, and leaves out repetitions.
func (fs Findings) sorted() Findings {
	slices.SortStableFunc(fs, func(a, b Finding) int {
		return cmp.Or(a.Pos.Compare(b.Pos), cmp.Compare(a.Event, b.Event), cmp.Compare(a.Field, b.Field), cmp.Compare(a.Message, b.Message))
	})
	return slices.CompactFunc(fs, func(a, b Finding) bool { return a == b })
}

// String returns "file:line:col: event: message; remedy".
func (f Finding) String() string {
	severity := ""
	if f.Rule.Verdict == Warning {
		severity = "warning: "
	}
	return fmt.Sprintf("%v: %s%s", f.Pos, severity, f.text())
}

func (f Finding) text() string {
	subject := ""
	if f.Event != "" {
		subject = f.Event + ": "
	}
	return fmt.Sprintf("%s%s; %s [%s]", subject, f.Message, f.Remedy, f.Rule.Name)
}

// A Format is a form in which findings are written.
type Format string

// The formats.
const (
	Text          Format = "text"           // file:line:col: message
	JSON          Format = "json"           // one object, {"findings": [...]}
	GitHubActions Format = "github-actions" // workflow commands, which become annotations
)

// Formats are all of them; the first is the default.
var Formats = []Format{Text, JSON, GitHubActions}

// Write writes the findings.
func (fs Findings) Write(w io.Writer, format Format) error {
	switch format {
	case JSON:
		return fs.writeJSON(w)
	case GitHubActions:
		return fs.writeCommands(w)
	}
	for _, f := range fs {
		if _, err := fmt.Fprintln(w, f); err != nil {
			return err
		}
	}
	return nil
}

func (fs Findings) writeJSON(w io.Writer) error {
	type finding struct {
		Rule    string  `json:"rule"`
		Verdict Verdict `json:"verdict"`
		Event   string  `json:"event,omitempty"`
		Field   string  `json:"field,omitempty"`
		File    string  `json:"file"`
		Line    int     `json:"line,omitempty"`
		Col     int     `json:"col,omitempty"`
		Message string  `json:"message"`
		Remedy  string  `json:"remedy"`
	}
	written := struct {
		Findings []finding `json:"findings"`
	}{Findings: []finding{}}
	for _, f := range fs {
		written.Findings = append(written.Findings, finding{
			Rule: f.Rule.Name, Verdict: f.Rule.Verdict, Event: f.Event, Field: f.Field,
			File: f.Pos.File, Line: f.Pos.Line, Col: f.Pos.Col, Message: f.Message, Remedy: f.Remedy,
		})
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(written)
}

// writeCommands writes workflow commands.
func (fs Findings) writeCommands(w io.Writer) error {
	for _, f := range fs {
		severity := "error"
		if f.Rule.Verdict == Warning {
			severity = "warning"
		}
		err := annotation.Annotation{Severity: severity, Pos: f.Pos, Title: "eventmap-gen: " + f.Rule.Name, Text: f.text()}.Write(w)
		if err != nil {
			return err
		}
	}
	return nil
}
