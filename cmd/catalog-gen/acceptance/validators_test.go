package acceptance_test

import (
	"encoding/json"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/eventmap/eventmap/cmd/catalog-gen/acceptance/values"
	"github.com/eventmap/eventmap/internal/gen"
	"github.com/eventmap/eventmap/internal/npm"
)

// validators installs what users validate with.
func validators(t *testing.T) string {
	t.Helper()
	var files [3][]byte
	for i, name := range []string{"package.json", "package-lock.json", "check.mjs"} {
		var err error
		if files[i], err = os.ReadFile(filepath.Join("testdata/validators", name)); err != nil {
			t.Fatal(err)
		}
	}
	folder, err := npm.Install(t.Context(), "../../../.cache/npm", files[0], files[1])
	if errors.Is(err, npm.ErrNoRegistry) {
		t.Skipf("ajv, AsyncAPI's parser and EventCatalog's SDK: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(folder, "check.mjs") // beside node_modules, where it finds them
	if err := os.WriteFile(script, files[2], 0o600); err != nil {
		t.Fatal(err)
	}
	return script
}

// What the shop has committed is what ajv, the parser of AsyncAPI and the SDK of EventCatalog take.
func TestValidators_takeTheCatalogOfTheShop(t *testing.T) {
	t.Parallel()
	script := validators(t)
	const source = "../../../examples/shop/domain"
	domain, _ := generate(t, source)
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS("../../../examples/shop/catalog")); err != nil {
		t.Fatal(err)
	}
	judged := map[string][]wrong{}
	for key, event := range examples[source] {
		r := rand.New(rand.NewPCG(7, 8)) //nolint:gosec // the same every time
		e := find(t, domain, key)
		for range 100 {
			content, err := values.JSON(r, reflect.TypeOf(event))
			if err != nil {
				t.Fatal(err)
			}
			content = stored(t, e, content)
			judged[key] = append(judged[key], wrong{content: string(content)})
			var value any
			if err := json.Unmarshal(content, &value); err != nil {
				t.Fatal(err)
			}
			judged[key] = append(judged[key], changes(e.Payload, value)...)
		}
	}
	if got := judge(t, script, folder, judged); !slices.Equal(got[1:], []string{
		"asyncapi: 12 messages, 4 operations",
		"eventcatalog: Order.Cancelled@1.0.0 Order.ItemAdded@1.0.0 Order.ItemRemoved@1.0.0 Order.Paid@1.0.0 Order.Placed@1.0.0 Order.Placed@2.0.0 " +
			"Order.Shipped@1.0.0 User.UserDeleted@1.0.0 User.UserEmailChanged@1.0.0 User.UserLocked@1.0.0 User.UserRegistered@1.0.0 User.UserRenamed@1.0.0",
		"service Shop: sends 8, receives 6",
	}) {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
}

// judge runs the validators and returns what they judged. What they find wrong fails the test.
func judge(t *testing.T, script, folder string, values map[string][]wrong) (lines []string) {
	t.Helper()
	all := map[string][]map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		for _, w := range values[key] {
			all[key] = append(all[key], map[string]string{"what": w.what, "content": w.content})
		}
	}
	content, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "values.json"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "node", script, folder).CombinedOutput()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimSuffix(line, "\n"); strings.HasPrefix(line, "wrong: ") {
			t.Error(line)
		} else {
			lines = append(lines, line)
		}
	}
	return lines
}

// write writes what was generated into a folder.
func write(t *testing.T, folder string, files []gen.File) {
	t.Helper()
	for _, file := range files {
		path := filepath.Join(folder, filepath.FromSlash(file.Path))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, file.Content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
