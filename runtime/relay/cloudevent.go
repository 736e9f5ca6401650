package relay

import (
	"bytes"
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
)

// The media types of messages and payloads.
const (
	cloudEventsJSON = "application/cloudevents+json; charset=UTF-8"
	plainJSON       = "application/json"
	anyBytes        = "application/octet-stream"
)

// A cloudEvent is an event in the JSON format of CloudEvents 1.0. Names of extensions are made of lower-case letters and digits,
// 20 at most. Numbers that may pass 2^31-1, the largest Integer of CloudEvents, are strings; sequence is that of the extension
// "Sequence", padded so that it sorts as text does.
type cloudEvent struct {
	SpecVersion      string `json:"specversion"`
	ID               string `json:"id"`
	Source           string `json:"source"`
	Type             string `json:"type"`
	Subject          string `json:"subject"`
	Time             string `json:"time"`
	DataContentType  string `json:"datacontenttype"`
	AggregateType    string `json:"aggregatetype"`
	AggregateVersion string `json:"aggregateversion"`
	EventVersion     int    `json:"eventversion"`
	Sequence         string `json:"sequence"`
	TraceParent      string `json:"traceparent,omitempty"`
	TraceID          string `json:"traceid,omitempty"`
	CorrelationID    string `json:"correlationid,omitempty"`
	CausationID      string `json:"causationid,omitempty"`
	EventLog         string `json:"eventlog,omitempty"`
	EventMetadata    string `json:"eventmetadata,omitempty"`

	Data       json.RawMessage `json:"data,omitempty"`
	DataBase64 []byte          `json:"data_base64,omitempty"`
}

// message returns the event as it is published.
func (c *Config) message(ctx context.Context, e *runtime.PersistedEvent) (Message, error) {
	payload := e.Payload
	if c.Payload != nil {
		var err error
		if payload, err = c.Payload(ctx, e); err != nil {
			return Message{}, err
		}
	}
	m := Message{
		ID:       e.EventID.String(),
		Stream:   consumer.Stream{AggregateType: e.AggregateType, AggregateID: e.AggregateID},
		Version:  e.AggregateVersion,
		Position: e.GlobalPosition,
		Log:      consumer.LogOf(ctx),
	}
	isJSON := json.Valid(payload)
	event := c.cloudEvent(e, isJSON)
	event.EventLog = m.Log
	if c.Format == Stored {
		m.Attributes, m.ContentType, m.Data = event.attributes(), event.DataContentType, bytes.Clone(payload)
		return m, nil
	}
	if isJSON {
		event.Data = payload
	} else {
		event.DataBase64 = payload
	}
	m.ContentType = cloudEventsJSON
	var err error
	m.Data, err = marshal(event)
	return m, err
}

// marshal is json.Marshal without the escapes for HTML: strings stay as they are in the payload.
func marshal(event *cloudEvent) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(event)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// cloudEvent returns the event without its data.
func (c *Config) cloudEvent(e *runtime.PersistedEvent, isJSON bool) *cloudEvent {
	event := &cloudEvent{
		SpecVersion:      "1.0",
		ID:               e.EventID.String(),
		Source:           c.Source,
		Type:             c.typeOf(e),
		Subject:          e.AggregateID,
		Time:             e.CreatedAt.UTC().Format(time.RFC3339Nano),
		DataContentType:  anyBytes,
		AggregateType:    e.AggregateType,
		AggregateVersion: strconv.FormatInt(e.AggregateVersion, 10),
		EventVersion:     e.EventVersion,
		Sequence:         sequence(e.GlobalPosition),
		TraceParent:      traceParent(e.Metadata),
		TraceID:          e.TraceID.String,
		CorrelationID:    e.CorrelationID.String,
		CausationID:      e.CausationID.String,
	}
	if isJSON {
		event.DataContentType = plainJSON
	}
	if c.Metadata {
		event.EventMetadata = string(e.Metadata)
	}
	return event
}

// sequence returns a position as text that sorts as the number does.
func sequence(position int64) string {
	const digits = "0000000000000000000" // of the largest int64
	text := strconv.FormatInt(position, 10)
	return digits[:max(len(digits)-len(text), 0)] + text
}

// traceParent returns the member traceparent of metadata, which runtime/otel puts there: it is the attribute of the extension
// "Distributed Tracing".
func traceParent(metadata []byte) string {
	if !bytes.Contains(metadata, []byte(`"traceparent"`)) {
		return ""
	}
	var m struct {
		TraceParent string `json:"traceparent"`
	}
	if json.Unmarshal(metadata, &m) != nil {
		return ""
	}
	return m.TraceParent
}

// attributes returns the attributes for the binary mode, in which the content type of the data is that of the message.
func (e *cloudEvent) attributes() map[string]string {
	attributes := map[string]string{
		"specversion":      e.SpecVersion,
		"id":               e.ID,
		"source":           e.Source,
		"type":             e.Type,
		"subject":          e.Subject,
		"time":             e.Time,
		"aggregatetype":    e.AggregateType,
		"aggregateversion": e.AggregateVersion,
		"eventversion":     strconv.Itoa(e.EventVersion),
		"sequence":         e.Sequence,
	}
	for name, value := range map[string]string{
		"traceparent": e.TraceParent, "traceid": e.TraceID, "correlationid": e.CorrelationID, "causationid": e.CausationID,
		"eventmetadata": e.EventMetadata,
	} {
		if value != "" {
			attributes[name] = value
		}
	}
	return attributes
}
