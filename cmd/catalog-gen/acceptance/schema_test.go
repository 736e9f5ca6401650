package acceptance_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/eventmap/eventmap/cmd/catalog-gen/acceptance/values"
	"github.com/eventmap/eventmap/examples/bank/domain/account"
	"github.com/eventmap/eventmap/examples/bank/domain/transfer"
	"github.com/eventmap/eventmap/examples/shop/domain/order"
	orderv1 "github.com/eventmap/eventmap/examples/shop/domain/order/v1"
	userv1 "github.com/eventmap/eventmap/examples/shop/domain/user/events/v1"
	upgrade "github.com/eventmap/eventmap/examples/upgrade/release3/domain/order"
	upgradev1 "github.com/eventmap/eventmap/examples/upgrade/release3/domain/order/v1"
	"github.com/eventmap/eventmap/internal/astscan"
	"github.com/eventmap/eventmap/internal/gen/catalog"
	"github.com/eventmap/eventmap/internal/model"
)

// examples are the events of the examples by the key of their schema.
var examples = map[string]map[string]any{
	"../../../examples/shop/domain": {
		"Order.Placed.v1": orderv1.Placed{}, "Order.Placed.v2": order.Placed{}, "Order.ItemAdded.v1": order.ItemAdded{},
		"Order.ItemRemoved.v1": order.ItemRemoved{}, "Order.Paid.v1": order.Paid{}, "Order.Shipped.v1": order.Shipped{},
		"Order.Cancelled.v1": order.Cancelled{}, "User.UserDeleted.v1": userv1.UserDeleted{}, "User.UserLocked.v1": userv1.UserLocked{},
		"User.UserEmailChanged.v1": userv1.UserEmailChanged{}, "User.UserRegistered.v1": userv1.UserRegistered{}, "User.UserRenamed.v1": userv1.UserRenamed{},
	},
	"../../../examples/bank/domain": {
		"Account.Opened.v1": account.Opened{}, "Account.Deposited.v1": account.Deposited{}, "Account.Withdrawn.v1": account.Withdrawn{},
		"Transfer.Made.v1": transfer.Made{},
	},
	"../../../examples/upgrade/release3/domain": {
		"Order.Placed.v1": upgradev1.Placed{}, "Order.Placed.v2": upgrade.PlacedWithAddress{}, "Order.Placed.v3": upgrade.Placed{},
		"Order.DeliveryChosen.v1": upgrade.DeliveryChosen{}, "Order.ItemAdded.v1": upgrade.ItemAdded{}, "Order.Paid.v1": upgrade.PaymentReceived{},
		"Order.Discounted.v1": upgrade.Discounted{},
	},
}

// many is how many random values of an event are stored.
const many = 1000

func TestSchema_fitsWhatTheExamplesStore(t *testing.T) {
	t.Parallel()
	for folder, events := range examples {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			domain, files := generate(t, folder)
			for key, event := range events {
				r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same every time
				e, payloads := find(t, domain, key), make([][]byte, many)
				for i := range payloads {
					content, err := values.JSON(r, reflect.TypeOf(event))
					if err != nil {
						t.Fatal(err)
					}
					payloads[i] = stored(t, e, content)
				}
				check(t, key, e, files["schemas/"+key+".schema.json"], payloads)
			}
			if n := strings.Count(strings.Join(slices.Collect(maps.Keys(files)), " "), "schemas/"); n != len(events) {
				t.Errorf("%d schemas, and %d events are tested", n, len(events))
			}
		})
	}
}

// generate returns the domain of a folder and its schemas.
func generate(t *testing.T, folder string) (*model.Domain, map[string][]byte) {
	t.Helper()
	domain, err := astscan.Scan(t.Context(), astscan.Options{Convention: true, Dir: folder, Patterns: []string{"./..."}})
	if err != nil {
		t.Fatal(err)
	}
	made, err := catalog.Generate(&catalog.Catalog{Title: "Test", Domain: domain}, []string{"schema", "asyncapi"})
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, file := range made {
		files[file.Path] = file.Content
	}
	return domain, files
}

// find returns an event by the key of its schema.
func find(t *testing.T, domain *model.Domain, key string) *model.Event {
	t.Helper()
	for i := range domain.Aggregates {
		for j := range domain.Aggregates[i].Events {
			e := &domain.Aggregates[i].Events[j]
			if key == fmt.Sprintf("%s.%s.v%d", domain.Aggregates[i].Name, e.Name, e.Version) {
				return e
			}
		}
	}
	t.Fatalf("there is no event %s", key)
	return nil
}

// check fails unless the schema takes what is stored, and nothing that differs in one thing that matters.
func check(t *testing.T, key string, e *model.Event, text []byte, stored [][]byte) {
	t.Helper()
	schema := compile(t, key, text)
	for i, content := range stored {
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Fatalf("%s: what is stored does not fit: %s\n%v\n%s", key, content, err, text)
		}
		if i%50 > 0 {
			continue
		}
		for _, change := range changes(e.Payload, value) {
			changed, err := jsonschema.UnmarshalJSON(strings.NewReader(change.content))
			if err != nil {
				t.Fatal(err)
			}
			if schema.Validate(changed) == nil {
				t.Errorf("%s: fits, though %s: %s", key, change.what, change.content)
			}
		}
	}
}

func compile(t *testing.T, key string, text []byte) *jsonschema.Schema {
	t.Helper()
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%s: %v\n%s", key, err, text)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.AssertContent()
	if err := c.AddResource(key, parsed); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile(key)
	if err != nil {
		t.Fatalf("%s: %v\n%s", key, err, text)
	}
	return schema
}

// A wrong value is one that is not stored.
type wrong struct{ what, content string }

// changes returns payloads that differ in one member from one that is stored.
func changes(shape *model.Shape, stored any) (all []wrong) {
	members, ok := stored.(map[string]any)
	if !ok || shape.Kind != model.ObjectShape {
		return nil
	}
	with := func(what, name string, value any) {
		changed := maps.Clone(members)
		if changed[name] = value; what == "missing" {
			delete(changed, name)
		}
		content, err := json.Marshal(changed)
		if err != nil {
			panic(err) // it was JSON before
		}
		all = append(all, wrong{name + " is " + what, string(content)})
	}
	for i := range shape.Fields {
		f := &shape.Fields[i]
		value, there := members[f.Name]
		if !f.Optional {
			with("missing", f.Name, nil)
		}
		if f.Shape.Kind == model.RawShape || f.Shape.Kind == model.OpaqueShape || !there {
			continue
		}
		if !f.Shape.Nullable {
			with("null", f.Name, nil)
		}
		var other any = true
		if f.Shape.Kind == model.BoolShape && !f.Quoted {
			other = "true"
		}
		with("of another kind", f.Name, other)
		if f.Personal != nil {
			with("in clear", f.Name, "Ada")
			continue
		}
		switch f.Shape.Kind {
		case model.TimeShape:
			with("no time", f.Name, "yesterday")
		case model.BytesShape:
			with("no base64", f.Name, "ö!")
		case model.IntShape, model.UintShape:
			if !f.Quoted {
				with("no integer", f.Name, 1.5)
			}
			if f.Shape.Bits == 8 && !f.Quoted {
				with("too large", f.Name, 300)
			}
		case model.ArrayShape:
			with("too long", f.Name, append(value.([]any), value.([]any)...))
		}
	}
	return all
}

// kinds are types of fields that a random domain is made of.
var kinds = []string{
	"bool", "int", "int8", "int16", "int32", "int64", "uint", "uint8", "uint16", "uint32", "uint64", "float32", "float64", "string",
	"[]byte", "time.Time", "uuid.UUID", "json.Number", "json.RawMessage", "Status", "Inner", "Tree", "*Tree", "struct{ A int; B *string }",
}

// source returns a package with random events.
func source(r *rand.Rand, events int) string {
	var b strings.Builder
	b.WriteString("package random\n\nimport (\n\t\"encoding/json\"\n\t\"time\"\n\n\t\"github.com/google/uuid\"\n)\n\n" +
		"var _ json.Number\nvar _ time.Time\nvar _ uuid.UUID\n\n//eventmap:ignore\ntype Inner struct {\n\tText string `json:\"text\"` // a text\n\tMore []Inner `json:\"more,omitempty\"`\n}\n\n" +
		"//eventmap:ignore\ntype Tree struct {\n\tLeft, Right *Tree\n\tLeaf map[int]Inner\n}\n\ntype Status int\n\nconst (\n\tOpen Status = iota\n\tShut\n)\n\n//eventmap:ignore\ntype Base struct{ ID string }\n\n")
	for i := range events {
		fmt.Fprintf(&b, "//eventmap:event\ntype Event%d struct {\n", i)
		if r.IntN(4) == 0 {
			b.WriteString([]string{"\tBase\n", "\t*Base\n"}[r.IntN(2)])
		}
		for j := range r.IntN(7) {
			kind := kinds[r.IntN(len(kinds))]
			tag := fmt.Sprintf("f%d", j)
			switch r.IntN(8) {
			case 0:
				kind = "[]" + kind
			case 1:
				kind = "*" + strings.TrimPrefix(kind, "*")
			case 2:
				kind = "map[string]" + kind
			case 3:
				kind = "[3]" + kind
			case 4:
				if strings.HasPrefix(kind, "int") || strings.HasPrefix(kind, "uint") && kind != "uuid.UUID" || strings.HasPrefix(kind, "float") || kind == "bool" || kind == "string" {
					tag += ",string"
				}
			}
			if r.IntN(4) == 0 {
				tag += ",omitempty"
			}
			if r.IntN(6) == 0 {
				tag += ",omitzero"
			}
			fmt.Fprintf(&b, "\tF%d %s `json:\"%s\"`\n", j, kind, tag)
		}
		b.WriteString("}\n\n")
	}
	return b.String()
}

// Random domains are compiled and run: what encoding/json writes of their values fits their schemas.
func TestSchema_fitsWhatRandomDomainsStore(t *testing.T) {
	t.Parallel()
	const events, each = 150, 200
	folder := t.TempDir()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	var program strings.Builder
	program.WriteString("package main\n\nimport (\n\t\"fmt\"\n\t\"math/rand/v2\"\n\t\"reflect\"\n\n\t\"example.com/random/random\"\n\t\"github.com/eventmap/eventmap/cmd/catalog-gen/acceptance/values\"\n)\n\n" +
		"func main() {\n\tr := rand.New(rand.NewPCG(3, 4))\n\tfor _, e := range []any{\n")
	for i := range events {
		fmt.Fprintf(&program, "\t\trandom.Event%d{},\n", i)
	}
	fmt.Fprintf(&program, "\t} {\n\t\tfor range %d {\n\t\t\tcontent, err := values.JSON(r, reflect.TypeOf(e))\n\t\t\tif err != nil {\n\t\t\t\tpanic(err)\n\t\t\t}\n\t\t\tfmt.Printf(\"%%s\\n\", content)\n\t\t}\n\t}\n}\n", each)
	sum, err := os.ReadFile("go.sum")
	if err != nil {
		t.Fatal(err)
	}
	mod := fmt.Sprintf("module example.com/random\n\ngo 1.26.0\n\nrequire (\n\tgithub.com/eventmap/eventmap/cmd/catalog-gen/acceptance v0.0.0\n\tgithub.com/google/uuid v1.6.0\n)\n\n"+
		"replace (\n\tgithub.com/eventmap/eventmap => %[1]s\n\tgithub.com/eventmap/eventmap/cmd/catalog-gen/acceptance => %[1]s/cmd/catalog-gen/acceptance\n"+
		"\tgithub.com/eventmap/eventmap/examples/bank => %[1]s/examples/bank\n\tgithub.com/eventmap/eventmap/examples/shop => %[1]s/examples/shop\n\tgithub.com/eventmap/eventmap/examples/upgrade => %[1]s/examples/upgrade\n)\n", root)
	for path, content := range map[string]string{
		"go.mod": mod, "go.sum": string(sum), "main.go": program.String(),
		"random/random.go": source(rand.New(rand.NewPCG(5, 6)), events), //nolint:gosec // the same every time
	} {
		path = filepath.Join(folder, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := exec.CommandContext(t.Context(), "go", "run", "-mod=mod", ".")
	run.Dir = folder
	run.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	var stderr bytes.Buffer
	run.Stderr = &stderr
	out, err := run.Output()
	if err != nil {
		t.Fatalf("go run: %v\n%s", err, stderr.String())
	}
	stored := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	if len(stored) != events*each {
		t.Fatalf("%d values, want %d", len(stored), events*each)
	}
	domain, files := generate(t, filepath.Join(folder, "random"))
	for i := range events {
		key := fmt.Sprintf("Random.Event%d.v1", i)
		check(t, key, find(t, domain, key), files["schemas/"+key+".schema.json"], stored[i*each:(i+1)*each])
	}
}
