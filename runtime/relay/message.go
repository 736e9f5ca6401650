package relay

import (
	"context"

	"github.com/eventmap/eventmap/runtime/consumer"
)

// A Message is an event as it is published.
type Message struct {
	// ID is the event's, and with Log the idempotency key of the message.
	ID string
	// Log is the name of the event's log, where there are many, each with positions, streams and event IDs of its own; else empty.
	Log string
	// Stream is that of the event, and Version its place there. Messages of one stream are published in the order of their versions.
	Stream  consumer.Stream
	Version int64
	// Position is the event's place in its log, which rises from message to message of the log.
	Position int64
	// Attributes are the context attributes of the CloudEvent, if they are not in Data: the names as CloudEvents has them, each
	// with its canonical string. Nil in the structured mode.
	Attributes map[string]string
	// ContentType is the media type of Data.
	ContentType string
	Data        []byte
}

// A Publisher sends messages to a broker. It must be safe for concurrent use.
type Publisher interface {
	// Publish sends messages, which are in the order of the log, and returns nil once the broker has all of them safely:
	// the relay moves its checkpoint then. Those of one stream become visible in their order. Messages that were published
	// before may come again, after a crash for example.
	//
	// An error says with [*consumer.EventError] which message was the first that is not known to be safe; those before it
	// are. One that is no fault of the message, as when the broker is away, is [consumer.ErrUnavailable] for errors.Is.
	// Publish keeps nothing of messages.
	Publish(ctx context.Context, messages []Message) error
}
