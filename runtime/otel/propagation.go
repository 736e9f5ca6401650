package otel

import (
	"bytes"
	"encoding/json"
	"strings"

	"go.opentelemetry.io/otel/trace"

	"github.com/eventmap/eventmap/runtime"
)

// traceparent is the member of the metadata that holds the trace context, in the form of W3C Trace Context.
const traceparent = "traceparent"

// marked returns the events with the context of a span: its trace ID as TraceID and all of it as the traceparent of the
// metadata, each where it is not set. The caller's events stay as they are. A span that is not sampled has a context too,
// so what handles the events can link to it; without a context, events are returned as they are.
func marked(events []runtime.Event, c trace.SpanContext) []runtime.Event {
	if !c.IsValid() || len(events) == 0 {
		return events
	}
	traceID := runtime.SomeString(c.TraceID().String())
	header := "00-" + traceID.String + "-" + c.SpanID().String() + "-" + c.TraceFlags().String()
	copied := make([]runtime.Event, len(events))
	var before, after []byte // the metadata of the event before, which most often is that of the next one
	for i, e := range events {
		if !e.TraceID.Valid {
			e.TraceID = traceID
		}
		if after == nil || !same(before, e.Metadata) {
			before, after = e.Metadata, withTraceparent(e.Metadata, header)
		}
		e.Metadata = after
		copied[i] = e
	}
	return copied
}

// same reports whether two slices are the same memory.
func same(a, b []byte) bool {
	return len(a) == len(b) && (len(a) == 0 && (a == nil) == (b == nil) || len(a) > 0 && &a[0] == &b[0])
}

// withTraceparent returns metadata with a traceparent, unless it has one or is no JSON object.
func withTraceparent(metadata []byte, header string) []byte {
	if metadata == nil {
		return []byte(`{"` + traceparent + `":"` + header + `"}`)
	}
	rest := bytes.TrimLeft(metadata, " \t\r\n")
	if len(rest) == 0 || rest[0] != '{' || traceparentOf(metadata) != "" {
		return metadata
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(metadata, &members) != nil || members[traceparent] != nil {
		return metadata
	}
	comma := ","
	if len(members) == 0 {
		comma = ""
	}
	return append([]byte(`{"`+traceparent+`":"`+header+`"`+comma), rest[1:]...)
}

// traceparentOf returns the traceparent of metadata, or nothing.
func traceparentOf(metadata []byte) string {
	if !bytes.Contains(metadata, []byte(traceparent)) {
		return ""
	}
	var m struct {
		Traceparent string `json:"traceparent"`
	}
	if json.Unmarshal(metadata, &m) != nil {
		return ""
	}
	return m.Traceparent
}

// spanContextOf returns the context of the append that stored an event, as far as the event tells.
func spanContextOf(e *runtime.PersistedEvent) trace.SpanContext {
	parts := strings.Split(traceparentOf(e.Metadata), "-")
	if len(parts) < 4 || len(parts[0]) != 2 || parts[0] == "ff" || len(parts[3]) != 2 {
		return trace.SpanContext{}
	}
	traceID, err := trace.TraceIDFromHex(parts[1])
	if err != nil {
		return trace.SpanContext{}
	}
	spanID, err := trace.SpanIDFromHex(parts[2])
	if err != nil {
		return trace.SpanContext{}
	}
	var flags trace.TraceFlags
	if strings.HasSuffix(parts[3], "1") {
		flags = trace.FlagsSampled
	}
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: traceID, SpanID: spanID, TraceFlags: flags, Remote: true})
}
