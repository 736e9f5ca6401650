package catalog

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"

	"github.com/eventmap/eventmap/internal/gen"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/model"
	"github.com/eventmap/eventmap/internal/schemalock"
)

//go:embed page.html.tmpl
var pageText string

//go:embed page.css
var pageStyle string

//go:embed page.js
var pageScript string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"count": count}).Parse(pageText))

// A page is what the template shows.
type page struct {
	Title      string
	Generated  string
	Policy     string // of the content: nothing but what is in the page
	Style      template.CSS
	Script     template.JS
	Aggregates []aggregateView
	Events     int
	Versions   int
	Used       bool // somebody looked for handlers and emitters
	Schemas    bool
}

type aggregateView struct {
	Name, Key string
	Source    string
	ID        string
	State     string
	Diagram   *diagram
	Events    []eventView
}

type eventView struct {
	Name, Key, Doc string
	Aggregate      string
	Version        int
	Emitters       []model.Emitter
	Handlers       []model.Handler
	Ignored        []model.Handler
	Forgets        string // what names the subject that is forgotten; empty: none is
	Unknown        []model.Handler
	Versions       []versionView // the latest first
}

type versionView struct {
	Key     string
	Version int
	Type    string
	Source  string
	Doc     string // where it is not the event's
	Upcast  string
	To      int
	Fields  []field
	Sample  string
	View    string // in SQL
	Since   int    // the version that Changes is from
	Changes []schemalock.Difference
	Lone    bool // the only or latest one, which is open
}

// count returns a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// htmlFiles returns the page.
func htmlFiles(c *Catalog) ([]gen.File, error) {
	p := page{
		Title: c.Title, Generated: generated, Used: c.Usage != nil,
		Style: template.CSS(pageStyle), Script: template.JS(pageScript), //nolint:gosec // our own files
		Policy: fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'", digest(pageStyle), digest(pageScript)),
	}
	views := sqlViews(c.Domain)
	for i := range c.Domain.Aggregates {
		a := &c.Domain.Aggregates[i]
		view := aggregateView{Name: a.Name, Key: key(a.Name), Source: a.Pos.String(), ID: idOf(a), Diagram: newDiagram(a, c.Usage)}
		if a.State != nil {
			view.State = a.State.Type.Name
		}
		for j := range a.Events {
			if e := &a.Events[j]; a.Latest(e.Name).Version == e.Version {
				view.Events = append(view.Events, c.eventView(a, e, views))
			}
		}
		p.Events += len(view.Events)
		p.Versions += len(a.Events)
		p.Aggregates = append(p.Aggregates, view)
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, &p); err != nil {
		return nil, err
	}
	return []gen.File{{Path: "index.html", Content: b.Bytes()}}, nil
}

// digest returns what a policy names an inline style or script by.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

func idOf(a *model.Aggregate) string {
	if a.ID.Type.Name == "" {
		return "string"
	}
	if a.ID.Type.Package.Name == "" {
		return a.ID.Type.Name
	}
	return a.ID.Type.Package.Name + "." + a.ID.Type.Name
}

// sqlViews returns the names of the views that migrate-gen makes of the domain, or none where it would make none.
func sqlViews(d *model.Domain) map[string]string {
	views := map[string]string{}
	made, err := design.Options{Domain: d}.Design()
	if err != nil {
		return views // migrate-gen says what is wrong
	}
	for _, v := range made.Views {
		views[fmt.Sprintf("%s\x00%s\x00%d", v.Aggregate, v.Event, v.Version)] = v.Name
	}
	return views
}

func (c *Catalog) eventView(a *model.Aggregate, latest *model.Event, views map[string]string) eventView {
	view := eventView{Name: latest.Name, Key: eventKey(a.Name, latest.Name), Doc: latest.Doc, Aggregate: a.Name, Version: latest.Version}
	view.Emitters, view.Handlers, view.Ignored, view.Unknown = c.Usage.Of(a.Name, latest.Name)
	if latest.Forget != nil {
		view.Forgets = whose(latest.Forget.Subject)
	}
	var older *model.Event
	for i := range a.Events {
		e := &a.Events[i]
		if e.Name != latest.Name {
			continue
		}
		v := versionView{
			Key: versionKey(a.Name, e), Version: e.Version, Type: e.Type.Package.Name + "." + e.Type.Name, Source: e.Pos.String(),
			Fields: fieldsOf(e.Payload), Sample: sampleText(c.sampleOf(a.Name, e)), Lone: e == latest,
			View: views[fmt.Sprintf("%s\x00%s\x00%d", a.Name, e.Name, e.Version)],
		}
		if e.Doc != latest.Doc {
			v.Doc = e.Doc
		}
		if e.Upcast != nil {
			v.Upcast, v.To = e.Upcast.Func.Package.Name+"."+e.Upcast.Func.Name, e.Upcast.To
		}
		if older != nil {
			v.Since, v.Changes = older.Version, schemalock.Differences(older.Payload, e.Payload)
		}
		older = e
		view.Versions = append([]versionView{v}, view.Versions...)
	}
	return view
}

// sampleText returns a committed payload for a reader.
func sampleText(sample []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, bytes.TrimSpace(sample), "", "  ") != nil {
		return string(sample)
	}
	return b.String()
}
