package catalog

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/eventmap/eventmap/internal/gen"
	"github.com/eventmap/eventmap/internal/model"
)

// asyncapiFiles returns a document of AsyncAPI 3.0: a channel for each aggregate, a message for each version of each event,
// an operation for each consumer and one for what is emitted.
//
// Parsers look at a payload only if its format is the default one. There, a reference starts at the document, and a
// schema may not be a boolean: so nested types are components, too, and what may be anything is an empty schema.
func asyncapiFiles(c *Catalog) ([]gen.File, error) {
	var channels, operations, messages object
	components := map[string]any{}
	for _, a := range c.Domain.Aggregates {
		var refs object
		for i := range a.Events {
			e := &a.Events[i]
			name := versionKey(a.Name, e)
			message := object{{"name", name}, {"title", fmt.Sprintf("%s %s, version %d", a.Name, e.Name, e.Version)}}
			if e.Doc != "" {
				message = message.with("summary", e.Doc)
			}
			payload := newSchemas("#/components/schemas/"+name+".", "#/components/schemas/"+name)
			components[name] = payload.payload(e.Payload)
			for def, schema := range payload.defs {
				components[name+"."+def] = schema
			}
			message = append(message, member{"contentType", "application/json"}, member{"payload", ref("schemas", name)})
			if sample := c.sampleOf(a.Name, e); json.Valid(sample) && e.Payload != nil && e.Payload.Kind == model.ObjectShape {
				message = message.with("examples", []object{{{"payload", json.RawMessage(sample)}}})
			}
			messages = messages.with(name, message)
			refs = refs.with(name, ref("messages", name))
		}
		channel := object{{"address", a.Name}, {"title", "Streams of " + a.Name}, {"messages", refs}}
		channels = channels.with(key(a.Name), channel)
		operations = append(operations, operationsOf(c, &a)...)
	}
	var schemas object
	for _, name := range slices.Sorted(maps.Keys(components)) {
		schemas = schemas.with(name, components[name])
	}
	root := object{
		{"asyncapi", "3.0.0"},
		{"info", object{{"title", c.Title}, {"version", "1.0.0"}, {"description", generated}}},
		{"defaultContentType", "application/json"},
		{"channels", channels},
	}
	if len(operations) > 0 {
		root = root.with("operations", operations)
	}
	root = root.with("components", object{{"messages", messages}, {"schemas", schemas}})
	content, err := document(root)
	return []gen.File{{Path: "asyncapi.json", Content: content}}, err
}

func ref(kind, name string) object { return object{{"$ref", "#/components/" + kind + "/" + name}} }

// operationsOf returns what the application sends and receives of an aggregate.
func operationsOf(c *Catalog, a *model.Aggregate) (operations object) {
	if c.Usage == nil {
		return nil
	}
	channel := "#/channels/" + key(a.Name)
	add := func(name, action, title string, events []string) {
		var refs []object
		for i := range a.Events {
			if e := &a.Events[i]; slices.Contains(events, e.Name) && (action == "receive" || a.Latest(e.Name).Version == e.Version) {
				refs = append(refs, object{{"$ref", channel + "/messages/" + versionKey(a.Name, e)}})
			}
		}
		if len(refs) > 0 {
			operations = operations.with(name, object{{"action", action}, {"channel", object{{"$ref", channel}}}, {"title", title}, {"messages", refs}})
		}
	}
	var emitted []string
	for _, e := range c.Usage.Emitters {
		if e.Aggregate == a.Name {
			emitted = append(emitted, e.Events...)
		}
	}
	add("emit."+key(a.Name), "send", "Events of "+a.Name+" that the application emits", emitted)
	used := map[string]bool{}
	for _, h := range c.Usage.Handlers {
		if h.Aggregate != a.Name {
			continue
		}
		name := handlerName(h)
		base := "handle." + key(a.Name) + "." + key(name)
		for i := 2; used[base]; i++ {
			base = fmt.Sprintf("handle.%s.%s.%d", key(a.Name), key(name), i)
		}
		used[base] = true
		add(base, "receive", name+" handles events of "+a.Name, h.Handles)
	}
	return operations
}

// handlerName returns the name of a consumer, or where it is unknown the function that makes it.
func handlerName(h model.Handler) string {
	if h.Consumer != "" {
		return h.Consumer
	}
	return h.Func
}
