// Package annotation writes what is found in the form in which GitHub Actions shows it beside the code.
package annotation

import (
	"fmt"
	"io"
	"strings"

	"github.com/eventmap/eventmap/internal/model"
)

// An Annotation is a remark on a place in a file, or, without one, on the run.
type Annotation struct {
	Severity string // error, warning or notice
	Pos      model.Position
	Title    string
	Text     string
}

// What has a meaning in a workflow command is escaped as the runner's toolkit does it.
var (
	data     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// Write writes the workflow command.
func (a Annotation) Write(w io.Writer) error {
	var properties []string
	if a.Pos.IsValid() {
		properties = append(properties, "file="+property.Replace(a.Pos.File))
	}
	if a.Pos.Line > 0 {
		properties = append(properties, fmt.Sprintf("line=%d", a.Pos.Line))
	}
	if a.Pos.Col > 0 {
		properties = append(properties, fmt.Sprintf("col=%d", a.Pos.Col))
	}
	properties = append(properties, "title="+property.Replace(a.Title))
	_, err := fmt.Fprintf(w, "::%s %s::%s\n", a.Severity, strings.Join(properties, ","), data.Replace(a.Text))
	return err
}
