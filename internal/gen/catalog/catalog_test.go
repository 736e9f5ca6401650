package catalog

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/internal/model"
)

// domain returns a domain of one aggregate with the events.
func domain(events ...model.Event) *model.Domain {
	return &model.Domain{Aggregates: []model.Aggregate{{Name: "Order", Events: events}}}
}

func placed(version int, fields ...string) model.Event {
	e := model.Event{Name: "Placed", Version: version, Doc: "Placed begins an order.", Payload: &model.Shape{Kind: model.ObjectShape}}
	for _, name := range fields {
		e.Payload.Fields = append(e.Payload.Fields, model.Field{Name: name, Shape: &model.Shape{Kind: model.StringShape}})
	}
	return e
}

func TestGenerate_makesWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	c := &Catalog{Title: "Shop", Domain: domain(placed(1, "a"), placed(2, "b"))}
	for _, test := range []struct {
		format string
		want   []string
	}{
		{"html", []string{"index.html"}},
		{"schema", []string{"schemas/Order.Placed.v1.schema.json", "schemas/Order.Placed.v2.schema.json"}},
		{"asyncapi", []string{"asyncapi.json"}},
		{"eventcatalog", []string{
			"eventcatalog/events/Order.Placed/versioned/1.0.0/index.mdx", "eventcatalog/events/Order.Placed/versioned/1.0.0/schema.json",
			"eventcatalog/events/Order.Placed/index.mdx", "eventcatalog/events/Order.Placed/schema.json",
		}},
	} {
		first, err := Generate(c, []string{test.format})
		if err != nil {
			t.Fatal(err)
		}
		second, err := Generate(c, []string{test.format})
		if err != nil {
			t.Fatal(err)
		}
		var paths []string
		for i, file := range first {
			paths = append(paths, file.Path)
			if !bytes.Equal(file.Content, second[i].Content) {
				t.Errorf("%s is another the second time", file.Path)
			}
			if !IsOurs(file.Content) {
				t.Errorf("%s does not say whose it is", file.Path)
			}
		}
		if diff := cmp.Diff(test.want, paths); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.format, diff)
		}
	}
}

func TestGenerate_refusesFilesThatDifferInCaseOnly(t *testing.T) {
	t.Parallel()
	lower := placed(1)
	lower.Name, lower.Pos = "placed", model.Position{File: "order.go", Line: 3, Col: 6}
	_, err := Generate(&Catalog{Domain: domain(placed(1), lower)}, Formats)
	if want := "order.go:3:6: Order.placed.v1 and Order.Placed.v1 would be one file"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error = %v, want %q", err, want)
	}
}

func TestKey_isOneForEachName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Placed": "Placed", "a.b-c": "a.b-c", "a_b": "a_5f_b", "über öl": "_fc_ber_20__f6_l", "../x": ".._2f_x", "発注": "_767a__6ce8_",
	} {
		if got := key(name); got != want {
			t.Errorf("key(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestMDX_isText(t *testing.T) {
	t.Parallel()
	if got := mdx("a {b} <c>\n# d & *e*"); strings.ContainsAny(got, "{}<>*\n") || got != "a &#123;b&#125; &#60;c&#62; &#35; d &#38; &#42;e&#42;" {
		t.Errorf("mdx = %q", got)
	}
	if got := yaml("a: \"b\"\n\u2028\u0085"); got != `"a: \"b\"\n\u2028\u0085"` {
		t.Errorf("yaml = %s", got)
	}
}
