package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eventmap/eventmap/internal/gen"
	"github.com/eventmap/eventmap/internal/model"
)

// eventcatalogFiles returns the content of an EventCatalog: an event for each event, with its former versions below it,
// and a service for the application. The folder is one to copy, or to point a catalog at.
func eventcatalogFiles(c *Catalog) (files []gen.File, err error) {
	for _, a := range c.Domain.Aggregates {
		for i := range a.Events {
			e := &a.Events[i]
			folder := "eventcatalog/events/" + eventKey(a.Name, e.Name) + "/"
			if a.Latest(e.Name).Version != e.Version {
				folder += fmt.Sprintf("versioned/%s/", semver(e.Version))
			}
			schema, err := schemaFile(a.Name, e)
			if err != nil {
				return nil, err
			}
			files = append(files,
				gen.File{Path: folder + "index.mdx", Content: eventPage(&a, e)},
				gen.File{Path: folder + "schema.json", Content: schema})
		}
	}
	if c.Usage != nil {
		files = append(files, gen.File{Path: "eventcatalog/services/" + key(c.Title) + "/index.mdx", Content: servicePage(c)})
	}
	return files, nil
}

// semver returns a version of an event as EventCatalog writes versions.
func semver(version int) string { return fmt.Sprintf("%d.0.0", version) }

// eventPage returns the page of a version of an event.
func eventPage(a *model.Aggregate, e *model.Event) []byte {
	var b strings.Builder
	frontMatter(&b, eventKey(a.Name, e.Name), e.Name, semver(e.Version), e.Doc)
	fmt.Fprintf(&b, "schemaPath: schema.json\n---\n\n%s\n\nAn event of %s, from %s.\n", mdx(e.Doc), mdx(a.Name), mdx(e.Pos.String()))
	if e.Upcast != nil {
		fmt.Fprintf(&b, "\nReaders get version %d in its place: %s turns it into that.\n", e.Upcast.To, mdx(e.Upcast.Func.Name))
	}
	b.WriteString("\n<SchemaViewer file=\"schema.json\" />\n")
	return []byte(b.String())
}

// servicePage returns the page of the application: what it sends and receives.
func servicePage(c *Catalog) []byte {
	var sends, receives []string
	list := func(aggregate string, events []string) (ids []string) {
		for _, a := range c.Domain.Aggregates {
			for i := range a.Events {
				if e := &a.Events[i]; a.Name == aggregate && slices.Contains(events, e.Name) && a.Latest(e.Name).Version == e.Version {
					ids = append(ids, fmt.Sprintf("  - id: %s\n    version: %s\n", yaml(eventKey(a.Name, e.Name)), yaml(semver(e.Version))))
				}
			}
		}
		return ids
	}
	for _, e := range c.Usage.Emitters {
		sends = append(sends, list(e.Aggregate, e.Events)...)
	}
	for _, h := range c.Usage.Handlers {
		receives = append(receives, list(h.Aggregate, h.Handles)...)
	}
	var b strings.Builder
	frontMatter(&b, key(c.Title), c.Title, semver(1), "The application whose source the catalog was made from.")
	for _, part := range []struct {
		name string
		ids  []string
	}{{"sends", sends}, {"receives", receives}} {
		slices.Sort(part.ids)
		if ids := slices.Compact(part.ids); len(ids) > 0 {
			fmt.Fprintf(&b, "%s:\n%s", part.name, strings.Join(ids, ""))
		}
	}
	b.WriteString("---\n\n<NodeGraph />\n")
	return []byte(b.String())
}

func frontMatter(b *strings.Builder, id, name, version, summary string) {
	fmt.Fprintf(b, "---\n# %s\nid: %s\nname: %s\nversion: %s\n", generated, yaml(id), yaml(name), yaml(version))
	if summary != "" {
		fmt.Fprintf(b, "summary: %s\n", yaml(summary))
	}
}

// yaml returns a string of YAML, which one of JSON is. What JSON writes as it is and YAML does not is escaped.
func yaml(s string) string {
	text, err := encode(s)
	if err != nil {
		return `""` // not of a string
	}
	var b strings.Builder
	for _, r := range string(text) {
		if r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r == 0xfeff || r == 0xfffe || r == 0xffff {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// mdx returns text that MDX takes for nothing else: neither a tag, nor an expression, nor Markdown.
func mdx(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune("&<>{}[]()*_`#!|\\~-+=:$\"'", r) {
			fmt.Fprintf(&b, "&#%d;", r)
		} else {
			b.WriteRune(r)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
