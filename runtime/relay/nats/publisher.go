package nats

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/relay"
)

// A Config says where events are published.
type Config struct {
	// Stream is the JetStream stream. It belongs to the relay: what others publish to it makes the relay look again where the
	// stream stands. With many producers, use a stream for each and one that sources them all.
	Stream string
	// Prefix is what the subject of each message begins with: prefix.AggregateType.AggregateID, in which all but ASCII letters,
	// digits, - and _ are percent-encoded. The stream has to take prefix.>
	Prefix string
	// WithoutLog leaves the log out of subjects and IDs of messages. Without it those of an event of many logs are prefix.log.AggregateType.AggregateID and
	// log/ID, since two logs may have the same stream. It is for logs over which the streams of one domain are spread, such as those of
	// postgres.HashedLogs, whose subscribers need not know of them. It costs a request for each aggregate of a batch.
	WithoutLog bool
	// Domain is the JetStream domain, or empty.
	Domain string
	// AckWait is how long to wait for the acknowledgement of a message; 0 means 5 s. One that comes later does no harm.
	AckWait time.Duration
	// Window is how many messages are sent before the first of them is acknowledged; 0 means 1,000.
	Window int
	// RefusePurged makes Publish fail for as long as the stream is empty but has had messages: somebody has purged it, or
	// all messages have expired. Without it the relay goes on with the next event.
	RefusePurged bool
}

// What a Config is where it says nothing.
const (
	defaultAckWait = 5 * time.Second
	defaultWindow  = 1000
)

// A Publisher publishes to a JetStream stream. It is safe for concurrent use: calls take turns.
type Publisher struct {
	js     jetstream.JetStream
	conn   *nats.Conn
	config Config
	turn   chan struct{} // holds one value while nobody publishes
	place  place
	known  bool // place is where the stream stands
}

var _ relay.Publisher = (*Publisher)(nil)

// New returns a publisher. The connection stays the caller's. The server is not asked yet.
func New(conn *nats.Conn, config Config) (*Publisher, error) {
	if config.AckWait == 0 {
		config.AckWait = defaultAckWait
	}
	if config.Window == 0 {
		config.Window = defaultWindow
	}
	switch {
	case conn == nil:
		return nil, errors.New("relay to NATS: the connection is nil")
	case config.Stream == "":
		return nil, errors.New("relay to NATS: Stream is empty; give the name of a JetStream stream")
	case !isSubject(config.Prefix):
		return nil, fmt.Errorf("relay to NATS: Prefix %q is no subject; use tokens of ASCII letters, digits, - and _ with dots between", config.Prefix)
	case config.AckWait < 0 || config.Window < 0:
		return nil, errors.New("relay to NATS: AckWait and Window cannot be negative")
	}
	opts := []jetstream.JetStreamOpt{
		jetstream.WithPublishAsyncTimeout(config.AckWait), jetstream.WithPublishAsyncMaxPending(4 * config.Window), jetstream.WithDefaultTimeout(config.AckWait),
	}
	var js jetstream.JetStream
	var err error
	if config.Domain == "" {
		js, err = jetstream.New(conn, opts...)
	} else {
		js, err = jetstream.NewWithDomain(conn, config.Domain, opts...)
	}
	if err != nil {
		return nil, fmt.Errorf("relay to NATS: %w", err)
	}
	p := &Publisher{js: js, conn: conn, config: config, turn: make(chan struct{}, 1)}
	p.turn <- struct{}{}
	return p, nil
}

// maxLost is how often in a row Publish looks where the stream stands without getting a message further.
const maxLost = 5

// Publish publishes messages that are not in the stream yet, and returns nil once the stream has them all; see
// [relay.Publisher].
//
// Messages are sent one behind the other, without a wait for each acknowledgement, as each expects the one before: if one is
// lost or refused, so are all behind it. Nothing is ever sent again by itself. After an error Publish looks where the stream
// stands, and begins there.
func (p *Publisher) Publish(ctx context.Context, messages []relay.Message) error {
	select {
	case <-p.turn:
		defer func() { p.turn <- struct{}{} }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for lost := 0; len(messages) > 0; {
		missing, err := p.missing(ctx, messages)
		if err != nil {
			return at(messages[0], err)
		}
		if len(missing) == 0 {
			return nil
		}
		stored, err := p.send(ctx, missing)
		if messages = missing[stored:]; err == nil {
			return nil
		}
		p.known = false
		if lost++; stored > 0 {
			lost = 0
		}
		if !isLost(err) || lost > maxLost || ctx.Err() != nil {
			return at(messages[0], err)
		}
	}
	return nil
}

// at returns an error about a message.
func at(m relay.Message, err error) error {
	if !isFault(err) {
		err = fmt.Errorf("%w: %w", consumer.ErrUnavailable, err)
	}
	return &consumer.EventError{Position: m.Position, Err: err}
}

// send sends messages and waits for their acknowledgements. It returns how many of them, from the first on, are stored.
func (p *Publisher) send(ctx context.Context, messages []relay.Message) (stored int, err error) {
	// The first is alone: what the stream expects of it is not sure, and those behind would be refused with it.
	window := 1
	sent := make([]jetstream.PubAckFuture, 0, len(messages))
	next := p.place.copy()
	for stored < len(messages) {
		for len(sent) < len(messages) && len(sent)-stored < window && err == nil {
			m := messages[len(sent)]
			var future jetstream.PubAckFuture
			if future, err = p.js.PublishMsgAsync(p.message(m, next), jetstream.WithRetryAttempts(0)); err == nil {
				sent = append(sent, future)
				next.stored(m, next.sequence+1)
			}
		}
		if len(sent) == stored {
			return stored, err
		}
		ack, failed := wait(ctx, sent[stored])
		if failed != nil {
			return stored, failed
		}
		if ack.Duplicate {
			return stored + 1, errPublishedBefore
		}
		p.place.stored(messages[stored], ack.Sequence)
		stored++
		window = p.config.Window
	}
	return stored, nil
}

// errPublishedBefore: the stream had a message within its duplicate window, and those behind it expect another sequence.
var errPublishedBefore = errors.New("the message was published before")

func wait(ctx context.Context, f jetstream.PubAckFuture) (*jetstream.PubAck, error) {
	select {
	case ack := <-f.Ok():
		return ack, nil
	case err := <-f.Err():
		return nil, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// The headers that this package reads again: where an event stands in the log and in its stream, and the highest position of
// it and the messages before it, from which it differs for a parked event that was tried again.
const (
	positionHeader = "Eventmap-Position"
	versionHeader  = "Eventmap-Version"
	reachedHeader  = "Eventmap-Reached"
)

// message returns the message of NATS that expects the stream to stand at a place.
func (p *Publisher) message(m relay.Message, expected place) *nats.Msg {
	header := make(nats.Header, 7+len(m.Attributes))
	header[jetstream.MsgIDHeader] = []string{p.id(m)}
	header[jetstream.ExpectedStreamHeader] = []string{p.config.Stream}
	header[jetstream.ExpectedLastSeqHeader] = []string{strconv.FormatUint(expected.sequence, 10)}
	header[positionHeader] = []string{strconv.FormatInt(m.Position, 10)}
	header[reachedHeader] = []string{strconv.FormatInt(max(m.Position, expected.reached[m.Log]), 10)}
	header[versionHeader] = []string{strconv.FormatInt(m.Version, 10)}
	header["Content-Type"] = []string{m.ContentType}
	for name, value := range m.Attributes {
		header["ce-"+name] = []string{headerText(value)}
	}
	return &nats.Msg{Subject: p.subject(m), Header: header, Data: m.Data}
}
