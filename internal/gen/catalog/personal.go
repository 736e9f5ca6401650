package catalog

import (
	"encoding/json"

	"github.com/eventmap/eventmap/internal/model"
)

// whose names the subject of a personal field, for a reader.
func whose(subject string) string {
	if subject == "" {
		return "the stream's ID"
	}
	return subject
}

// sealed returns the schema of a personal value as it is stored.
func sealed(p *model.Personal) object {
	return object{
		{"$comment", "personal: sealed under the key of the subject that " + whose(p.Subject) + " names"},
		{"type", "object"},
		{"properties", object{{"$sealed", object{{"type", "string"}, {"contentEncoding", "base64"}}}}},
		{"required", []string{"$sealed"}},
		{"additionalProperties", false},
	}
}

// placeholder stands for a sealed value in samples: the form without a key, a nonce or a ciphertext.
var placeholder = json.RawMessage(`{"$sealed":"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`)

// sampleOf returns the committed payload of an event as it would be stored: its personal members are sealed. It is nil if
// there is no sample, or one that is not the event's JSON.
func (c *Catalog) sampleOf(aggregate string, e *model.Event) []byte {
	sample := c.Samples[SamplePath(aggregate, e)]
	if len(e.Personal()) == 0 {
		return sample
	}
	var values map[string]json.RawMessage
	if json.Unmarshal(sample, &values) != nil {
		return nil
	}
	var stored object
	for i := range e.Payload.Fields {
		f := &e.Payload.Fields[i]
		value, ok := values[f.Name]
		if ok && f.Personal != nil {
			value = placeholder
		}
		if ok {
			stored = stored.with(f.Name, value)
		}
	}
	data, err := document(stored)
	if err != nil {
		return nil
	}
	return data
}
