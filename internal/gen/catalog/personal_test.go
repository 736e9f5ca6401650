package catalog

import (
	"strings"
	"testing"

	"github.com/eventmap/eventmap/internal/model"
)

// What is personal is named in each form of the catalogue, and no sample shows one.
func TestGenerate_personal(t *testing.T) {
	t.Parallel()
	removed := "(removed)"
	e := placed(1, "by", "name", "mail", "plan")
	fields := e.Payload.Fields
	fields[0].Subject = &model.Subject{}
	fields[1].Personal = &model.Personal{Subject: "by", Erased: &removed}
	fields[2].Personal = &model.Personal{HasClear: true}
	e.Forget = &model.Forget{Subject: "by"}
	c := &Catalog{Title: "Shop", Domain: domain(e), Samples: map[string][]byte{
		SamplePath("Order", &e): []byte(`{"by":"c-1","name":"SECRET","mail":"SECRET","plan":"free"}`),
	}}
	for format, want := range map[string][]string{
		"html": {
			`<span class="tag">subject</span>`, "personal: by</span>", "personal: the stream&#39;s ID</span>", "erased it reads as (removed)",
			"The subject that by names is to be forgotten.", "$sealed", "free",
		},
		"schema":   {`"personal: sealed under the key of the subject that by names"`, `"anyOf"`, `"$sealed"`},
		"asyncapi": {`"personal: sealed under the key of the subject that by names"`, `"$sealed": "AQAA`, `"plan": "free"`},
	} {
		files, err := Generate(c, []string{format})
		if err != nil {
			t.Fatal(err)
		}
		text := string(files[0].Content)
		for _, part := range want {
			if !strings.Contains(text, part) {
				t.Errorf("%s lacks %s:\n%s", format, part, text)
			}
		}
		if strings.Contains(text, "SECRET") {
			t.Errorf("%s shows what is personal:\n%s", format, text)
		}
	}
}
