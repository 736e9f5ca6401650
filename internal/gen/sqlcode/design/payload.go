package design

import "github.com/eventmap/eventmap/internal/pgname"

// PayloadJSON returns the SQL expression of a payload as jsonb. It is null where there is none.
func (d Design) PayloadJSON() string {
	if d.Payload == "jsonb" {
		return "payload"
	}
	return d.PayloadJSONFunction().Quoted() + "(payload)"
}

// PayloadJSONFunction returns the function that reads a payload as jsonb, where it is of another type.
func (d Design) PayloadJSONFunction() pgname.Table { return d.Events.Derived("payload_json") }

// PayloadValueFunction returns the functions, one of a name, that turn a field into a value of a type.
func (d Design) PayloadValueFunction() pgname.Table { return d.Events.Derived("payload_value") }

// A Function is one that views and indexes call.
type Function struct {
	pgname.Table
	Args string
}

// PayloadFunctions returns the functions by which views and indexes read payloads.
func (d Design) PayloadFunctions() []Function {
	if len(d.Views) == 0 {
		return nil
	}
	return d.Dialect.payloadReader(d)
}

func payloadFunctions(d Design) []Function {
	value := d.PayloadValueFunction()
	all := []Function{{value, "jsonb, anyelement"}, {value, "jsonb, timestamptz"}, {value, "jsonb, bytea"}}
	if d.Payload != "jsonb" {
		all = append(all, Function{d.PayloadJSONFunction(), d.Payload})
	}
	return all
}

// A Conversion is the script that changes the type of the payload.
type Conversion struct {
	Script
	From string // the former type
}

// PayloadConversion returns the expression that turns a payload of the former type into the new one.
func (c Conversion) PayloadConversion() string {
	switch {
	case c.From == "bytea":
		return "nullif(convert_from(payload, 'UTF8'), '')::" + c.Payload
	case c.KeepsBytes():
		return "convert_to(coalesce(payload::text, ''), 'UTF8')"
	}
	return "payload::" + c.Payload
}
