package relay

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
)

// A Config says what is published, and as what.
type Config struct {
	// Source is the attribute source of every CloudEvent: a URI reference that names the context of the events, such as
	// https://shop.example/orders. It is required.
	Source string
	// TypePrefix is put before the type of every CloudEvent, which is the aggregate type, a dot and the event type:
	// "example.shop." gives example.shop.Order.Placed.
	TypePrefix string
	// AggregateTypes and EventTypes select events. Empty: all.
	AggregateTypes, EventTypes []string
	// Format is the form of the messages.
	Format Format
	// Payload, if it is set, returns what is published in place of an event's payload, which it must not change. It is where
	// personal fields that are sealed in the log are opened, for those fields that the readers of the broker may see, or where
	// fields are left out. An error is one of the event. Nil publishes payloads as they are stored: what is sealed stays sealed.
	Payload func(ctx context.Context, e *runtime.PersistedEvent) ([]byte, error)
	// Metadata publishes the metadata of events too, as the extension eventmetadata. It may name persons.
	Metadata bool
}

// A Format is a form of messages.
type Format int

const (
	// CloudEvents is the JSON format of CloudEvents 1.0, in the structured mode: one JSON object with the attributes and, as
	// data, the payload. One that is not JSON is in data_base64.
	CloudEvents Format = iota
	// Stored is the payload as it is, byte for byte, in the binary mode of CloudEvents 1.0: attributes are beside it.
	Stored
)

// New returns the consumer that publishes events by publisher. Its name identifies the checkpoint and must not change. The
// consumer is a [consumer.BatchConsumer], and a [consumer.ScopedConsumer] if the configuration selects aggregate types. The
// error says what is wrong with the configuration.
//
// An event is published at least once: between the broker's answer and the commit of the checkpoint a crash has it published
// again, which a publisher may recognise. While a broker is away nothing is parked and no attempt is final.
func New[Tx any](name string, publisher Publisher, config Config) (consumer.BatchConsumer[Tx], error) {
	source, err := url.Parse(config.Source)
	switch {
	case publisher == nil:
		return nil, fmt.Errorf("relay %s: publisher is nil", name)
	case config.Source == "":
		return nil, fmt.Errorf("relay %s: Source is empty; CloudEvents need a URI reference that names where events come from", name)
	case err != nil || source.String() == "":
		return nil, fmt.Errorf("relay %s: Source %q is no URI reference: %w", name, config.Source, err)
	case config.Format != CloudEvents && config.Format != Stored:
		return nil, fmt.Errorf("relay %s: there is no format %d", name, config.Format)
	case slices.Contains(config.AggregateTypes, "") || slices.Contains(config.EventTypes, ""):
		return nil, fmt.Errorf("relay %s: an aggregate type or event type is empty", name)
	}
	config.AggregateTypes, config.EventTypes = slices.Clone(config.AggregateTypes), slices.Clone(config.EventTypes)
	r := &relay[Tx]{name: name, publisher: publisher, config: config}
	if len(config.AggregateTypes) > 0 {
		return scoped[Tx]{r}, nil
	}
	return r, nil
}

// relay is a consumer of all aggregate types.
type relay[Tx any] struct {
	name      string
	publisher Publisher
	config    Config
}

// scoped is a relay of some.
type scoped[Tx any] struct{ *relay[Tx] }

// AggregateTypes implements [consumer.ScopedConsumer].
func (r scoped[Tx]) AggregateTypes() []string { return slices.Clone(r.config.AggregateTypes) }

// Name implements [consumer.Consumer].
func (r *relay[Tx]) Name() string { return r.name }

// Handle implements [consumer.Consumer].
func (r *relay[Tx]) Handle(ctx context.Context, tx Tx, e runtime.PersistedEvent) error {
	return r.HandleBatch(ctx, tx, []runtime.PersistedEvent{e})
}

// HandleBatch implements [consumer.BatchConsumer].
func (r *relay[Tx]) HandleBatch(ctx context.Context, _ Tx, events []runtime.PersistedEvent) error {
	messages := make([]Message, 0, len(events))
	for i := range events {
		e := &events[i]
		if len(r.config.EventTypes) > 0 && !slices.Contains(r.config.EventTypes, e.EventType) {
			continue
		}
		m, err := r.config.message(ctx, e)
		if err != nil {
			// Those before it are published, so that the event which fails is the only one that is tried again.
			if err := r.publish(ctx, messages); err != nil {
				return err
			}
			return &consumer.EventError{Position: e.GlobalPosition, Err: err}
		}
		messages = append(messages, m)
	}
	return r.publish(ctx, messages)
}

func (r *relay[Tx]) publish(ctx context.Context, messages []Message) error {
	if len(messages) == 0 {
		return nil
	}
	err := r.publisher.Publish(ctx, messages)
	var at *consumer.EventError
	if err == nil || errors.As(err, &at) {
		return err
	}
	return &consumer.EventError{Position: messages[0].Position, Err: err}
}

// typeOf returns the type of the CloudEvent.
func (c *Config) typeOf(e *runtime.PersistedEvent) string {
	var b strings.Builder
	b.WriteString(c.TypePrefix)
	b.WriteString(e.AggregateType)
	b.WriteByte('.')
	b.WriteString(e.EventType)
	return b.String()
}
