package runtime

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// A document is the JSON of an event or of what stands beside it. Its members are called like the columns of a log. What
// an event does not have is null; what a Meta does not have is left out.
type document struct {
	GlobalPosition   int64           `json:"global_position"`
	AggregateType    string          `json:"aggregate_type"`
	AggregateID      string          `json:"aggregate_id"`
	AggregateVersion int64           `json:"aggregate_version"`
	EventID          uuid.UUID       `json:"event_id"`
	EventType        string          `json:"event_type,omitempty"`
	EventVersion     int             `json:"event_version"`
	Payload          json.RawMessage `json:"payload,omitempty"`
	PayloadBase64    *[]byte         `json:"payload_base64,omitempty"`
	Metadata         json.RawMessage `json:"metadata"`
	TraceID          NullString      `json:"trace_id"`
	CorrelationID    NullString      `json:"correlation_id"`
	CausationID      NullString      `json:"causation_id"`
	CreatedAt        time.Time       `json:"created_at"`
	Erased           []string        `json:"erased,omitempty"`
}

// MarshalJSON returns the event as an object whose members are called like the columns of a log: global_position,
// aggregate_type and so on. The payload is JSON as it stands, its white space aside; one that is not JSON is in
// payload_base64 instead.
func (e PersistedEvent) MarshalJSON() ([]byte, error) {
	d := e.Meta().document()
	d.EventType = e.EventType
	if json.Valid(e.Payload) {
		d.Payload = e.Payload
	} else {
		d.PayloadBase64 = &e.Payload
	}
	return json.Marshal(d)
}

// UnmarshalJSON takes what MarshalJSON returns.
func (e *PersistedEvent) UnmarshalJSON(data []byte) error {
	var d document
	if err := json.Unmarshal(data, &d); err != nil {
		return err
	}
	m := d.meta()
	*e = PersistedEvent{
		Event: Event{
			CreatedAt:     m.CreatedAt,
			AggregateType: m.AggregateType,
			EventType:     d.EventType,
			AggregateID:   m.AggregateID,
			Payload:       d.Payload,
			Metadata:      m.Metadata,
			CausationID:   m.CausationID,
			CorrelationID: m.CorrelationID,
			TraceID:       m.TraceID,
			EventVersion:  m.EventVersion,
			EventID:       m.EventID,
		},
		GlobalPosition:   m.GlobalPosition,
		AggregateVersion: m.AggregateVersion,
		Erased:           m.Erased,
	}
	if d.PayloadBase64 != nil {
		e.Payload = *d.PayloadBase64
	}
	return nil
}

// MarshalJSON returns an object whose members are called like the columns of a log: global_position, aggregate_type and
// so on.
func (m Meta) MarshalJSON() ([]byte, error) { return json.Marshal(m.document()) }

// UnmarshalJSON takes what MarshalJSON returns.
func (m *Meta) UnmarshalJSON(data []byte) error {
	var d document
	if err := json.Unmarshal(data, &d); err != nil {
		return err
	}
	*m = d.meta()
	return nil
}

func (m Meta) document() document {
	return document{
		GlobalPosition:   m.GlobalPosition,
		AggregateType:    m.AggregateType,
		AggregateID:      m.AggregateID,
		AggregateVersion: m.AggregateVersion,
		EventID:          m.EventID,
		EventVersion:     m.EventVersion,
		Metadata:         m.Metadata,
		TraceID:          m.TraceID,
		CorrelationID:    m.CorrelationID,
		CausationID:      m.CausationID,
		CreatedAt:        m.CreatedAt,
		Erased:           m.Erased,
	}
}

func (d document) meta() Meta {
	m := Meta{
		CreatedAt:        d.CreatedAt,
		AggregateType:    d.AggregateType,
		AggregateID:      d.AggregateID,
		CausationID:      d.CausationID,
		CorrelationID:    d.CorrelationID,
		TraceID:          d.TraceID,
		EventVersion:     d.EventVersion,
		EventID:          d.EventID,
		GlobalPosition:   d.GlobalPosition,
		AggregateVersion: d.AggregateVersion,
		Erased:           d.Erased,
	}
	if string(d.Metadata) != "null" {
		m.Metadata = d.Metadata
	}
	return m
}
