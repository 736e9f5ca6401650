package acceptance_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/eventmap/eventmap/internal/gen/catalog"
	"github.com/eventmap/eventmap/internal/model"
)

// large returns a catalogue of so many events, in aggregates of 25.
func large(events int) *catalog.Catalog {
	c := &catalog.Catalog{Title: "Large", Domain: &model.Domain{}, Usage: &model.Usage{}, Samples: map[string][]byte{}}
	for i := range events {
		if i%25 == 0 {
			name := fmt.Sprintf("Aggregate%02d", i/25)
			c.Domain.Aggregates = append(c.Domain.Aggregates, model.Aggregate{Name: name})
			c.Usage.Handlers = append(c.Usage.Handlers, model.Handler{Aggregate: name, Consumer: "read model of " + name, Func: "main.run"})
		}
		a := &c.Domain.Aggregates[i/25]
		payload := &model.Shape{Kind: model.ObjectShape, Go: "domain.Event", Type: "example.com/domain.Event"}
		for j := range 6 {
			payload.Fields = append(payload.Fields, model.Field{
				Name: fmt.Sprintf("field%d", j), Doc: "what it is for, in a few words", Shape: &model.Shape{Kind: model.StringShape, Go: "string"},
			})
		}
		e := model.Event{
			Name: fmt.Sprintf("Happened%04d", i), Version: 1, Payload: payload, Doc: fmt.Sprintf("Happened%04d says that something happened, the %dth time.", i, i),
			Type: model.TypeName{Package: model.Package{Path: "example.com/domain", Name: "domain"}, Name: fmt.Sprintf("Happened%04d", i)},
			Pos:  model.Position{File: "domain/events.go", Line: i + 1, Col: 6},
		}
		a.Events = append(a.Events, e)
		c.Samples[catalog.SamplePath(a.Name, &e)] = []byte(`{"field0":"a","field1":"b","field2":"c","field3":"d","field4":"e","field5":"f"}`)
		h := &c.Usage.Handlers[len(c.Usage.Handlers)-1]
		h.Handles = append(h.Handles, e.Name)
		c.Usage.Emitters = append(c.Usage.Emitters, model.Emitter{Aggregate: a.Name, Func: "domain.Do" + e.Name, Events: []string{e.Name}})
	}
	return c
}

func pageOf(t *testing.T, c *catalog.Catalog) []byte {
	t.Helper()
	files, err := catalog.Generate(c, []string{"html"})
	if err != nil {
		t.Fatal(err)
	}
	return files[0].Content
}

func TestPage_ofFiveHundredVersionsIsSmall(t *testing.T) {
	t.Parallel()
	const most = 1 << 20
	if n := len(pageOf(t, large(500))); n > most {
		t.Errorf("the page has %d bytes, want at most %d", n, most)
	} else {
		t.Logf("the page has %d bytes", n)
	}
}

func TestPage_ofAThousandEventsIsFound(t *testing.T) {
	t.Parallel()
	p := openPage(t, pageOf(t, large(1000)))
	p.find("happened0777")
	expect(p, visible, "Aggregate31.Happened0777")
	p.find("read model of aggregate07 777th")
	expect(p, visible, "")
	p.press("Escape")
	expect(p, `document.querySelectorAll("article:not([hidden])").length`, 1000)
	// What a person waits for: the slowest of many searches, with the layout after it.
	slowest := eval[float64](p, `(() => {
		const input = document.getElementById("find");
		let slowest = 0;
		for (const words of ["h", "ha", "happened", "happened05", "field3", "7th time", "", "aggregate12 field", "nothing", ""]) {
			input.value = words;
			const before = performance.now();
			input.dispatchEvent(new Event("input"));
			document.body.offsetHeight;
			slowest = Math.max(slowest, performance.now() - before);
		}
		return slowest;
	})()`)
	t.Logf("the slowest search took %.1f ms", slowest)
}

// hostile is what names and docs may hold, and what a page, YAML, MDX and JSON must take for text.
var hostile = []string{
	`</script><script>alert(1)</script>`, `<img src=x onerror=alert(2)>`, `--> <!-- <b>`, "line\u2028separator \u2029 \u0000 \u0085 \ufeff", `{{.}} ${x} {alert(3)}`,
	`" onmouseover="alert(4)`, "`'\"\\", `<style>*{display:none}</style>`, `javascript:alert(5)`, "---\nid: other\n---\n# heading\n[x](y)", "&lt;&#60;&amp;", "مرحبا Ærøskøbing 発注 🙂",
}

func hostileCatalog() *catalog.Catalog {
	c := &catalog.Catalog{Title: "T</title><script>alert(0)</script>", Domain: &model.Domain{}, Usage: &model.Usage{}, Samples: map[string][]byte{}}
	for _, aggregate := range []string{"Order", "Bestellung über Öl"} { // with the same events
		a := model.Aggregate{Name: aggregate, Pos: model.Position{File: "a.go", Line: 1}}
		for i, text := range hostile {
			tree := &model.Shape{Kind: model.ObjectShape, Type: "example.com/x.Tree", Go: "x.Tree"}
			tree.Fields = []model.Field{{Name: text, Doc: text, Shape: &model.Shape{Kind: model.SliceShape, Elem: &model.Shape{Kind: model.RefShape, Type: tree.Type}}}}
			e := model.Event{
				Name: fmt.Sprintf("E%d %s", i, text), Version: 1, Doc: text, Pos: model.Position{File: text, Line: 1},
				Type:    model.TypeName{Package: model.Package{Path: "x", Name: text}, Name: text},
				Payload: &model.Shape{Kind: model.ObjectShape, Fields: []model.Field{{Name: text, Doc: text, Shape: tree}}},
			}
			if i == 0 {
				e.Doc += strings.Repeat(" long", 60_000)
			}
			a.Events = append(a.Events, e)
			c.Samples[catalog.SamplePath(aggregate, &e)] = []byte(`"` + text + `"`)
			c.Usage.Handlers = append(c.Usage.Handlers, model.Handler{Aggregate: aggregate, Consumer: text, Func: text, Handles: []string{e.Name}})
			c.Usage.Emitters = append(c.Usage.Emitters, model.Emitter{Aggregate: aggregate, Func: text, Doc: text, Events: []string{e.Name}})
		}
		c.Domain.Aggregates = append(c.Domain.Aggregates, a)
	}
	return c
}

func TestPage_hostileNamesStayText(t *testing.T) {
	t.Parallel()
	p := openPage(t, pageOf(t, hostileCatalog()))
	expect(p, `document.querySelectorAll("article").length`, 2*len(hostile))
	expect(p, `document.querySelectorAll("script").length + document.querySelectorAll("style").length + document.querySelectorAll("img, b:not(.v)").length`, 2)
	for i, text := range hostile {
		if strings.ContainsAny(text, "\x00\n") {
			continue // HTML has another form of them
		}
		name := eval[string](p, fmt.Sprintf(`document.querySelectorAll("article h3 a")[%d].textContent`, i))
		if want := fmt.Sprintf("E%d %s", i, text); name != want {
			t.Errorf("event %d is called %q, want %q", i, name, want)
		}
	}
	p.find("øl")
	expect(p, `document.querySelectorAll("article:not([hidden])").length`, 0)
	p.find("über")
	expect(p, `document.querySelectorAll("article:not([hidden])").length`, len(hostile))
}

func TestValidators_takeHostileNames(t *testing.T) {
	t.Parallel()
	script := validators(t)
	folder := t.TempDir()
	files, err := catalog.Generate(hostileCatalog(), catalog.Formats)
	if err != nil {
		t.Fatal(err)
	}
	write(t, folder, files)
	got := judge(t, script, folder, nil)
	if events := strings.Fields(got[2]); len(events) != 1+2*len(hostile) {
		t.Errorf("EventCatalog reads %d events, want %d: %s", len(events)-1, 2*len(hostile), got[2])
	}
}
