package nats

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/eventmap/eventmap/runtime/relay"
)

// A place is where a JetStream stream stands.
type place struct {
	sequence uint64 // of the last message; purging does not set it back
	// reached is the highest position in a log of an event that the stream has got. A log that was not asked about is not there.
	reached map[string]int64
}

// stored notes a message that the stream has got.
func (p *place) stored(m relay.Message, sequence uint64) {
	p.sequence, p.reached[m.Log] = sequence, max(p.reached[m.Log], m.Position)
}

// copy returns a place that changes by itself.
func (p *place) copy() place { return place{p.sequence, maps.Clone(p.reached)} }

// errPurged: the stream is empty and has had messages.
var errPurged = errors.New("the stream was purged, or its messages have expired; " +
	"publish one by hand or set RefusePurged to false to go on with the next event")

// find asks where the stream stands.
func (p *Publisher) find(ctx context.Context) error {
	stream, err := p.js.Stream(ctx, p.config.Stream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return fmt.Errorf("there is no stream %s; create one for the subjects %s.>: %w", p.config.Stream, p.config.Prefix, err)
	}
	if err != nil {
		return fmt.Errorf("stream %s: %w", p.config.Stream, err)
	}
	state := stream.CachedInfo().State
	found := place{sequence: state.LastSeq, reached: make(map[string]int64)}
	switch {
	case state.Msgs > 0:
		last, err := p.last(ctx, p.config.Prefix+".>")
		if err != nil {
			return err
		}
		found.reached[""] = last.number(reachedHeader)
		found.sequence = max(found.sequence, last.sequence) // one more may have come since; or the last is deleted, or of other subjects
	case state.LastSeq > 0 && p.config.RefusePurged:
		return fmt.Errorf("stream %s: %w", p.config.Stream, errPurged)
	}
	p.place, p.known = found, true
	return nil
}

// missing returns the messages that the stream does not have. It asks about those that are not behind everything it has seen:
// a relay that has lost its last checkpoint, one that tries parked events again, or a second one. A subject has the messages of
// one stream of ours in the order of their versions, so the last of them tells which are there.
func (p *Publisher) missing(ctx context.Context, messages []relay.Message) ([]relay.Message, error) {
	if !p.known {
		if err := p.find(ctx); err != nil {
			return nil, err
		}
	}
	versions := make(map[string]int64)
	var missing []relay.Message
	for _, m := range messages {
		reached, err := p.reached(ctx, m.Log)
		if err != nil {
			return nil, err
		}
		if m.Position <= reached {
			subject := p.subject(m)
			version, asked := versions[subject]
			if !asked {
				last, err := p.last(ctx, subject)
				if err != nil {
					return nil, err
				}
				version = last.number(versionHeader)
				versions[subject] = version
			}
			if m.Version <= version {
				continue
			}
		}
		missing = append(missing, m)
	}
	return missing, nil
}

// reached returns the highest position in a log of an event that the stream may have. Where subjects do not tell logs apart, that is any.
func (p *Publisher) reached(ctx context.Context, log string) (int64, error) {
	if log != "" && p.config.WithoutLog {
		return math.MaxInt64, nil
	}
	position, asked := p.place.reached[log]
	if asked || log == "" {
		return position, nil
	}
	last, err := p.last(ctx, p.logPrefix(log)+".>")
	if err != nil {
		return 0, err
	}
	p.place.reached[log] = last.number(reachedHeader)
	return p.place.reached[log], nil
}

// A lastMessage is the last message of a subject; the zero value is none.
type lastMessage struct {
	sequence uint64
	header   nats.Header
}

// number returns the number that a header holds, or 0.
func (m *lastMessage) number(name string) int64 {
	n, err := strconv.ParseInt(m.header.Get(name), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// last returns the last message of a subject, which may have wildcards. It asks the leader of the stream: the client's own
// method may ask a replica, if the stream allows that, and a replica may not have the last messages yet.
func (p *Publisher) last(ctx context.Context, subject string) (last lastMessage, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("stream %s: last message of %s: %w", p.config.Stream, subject, err)
		}
	}()
	request, err := json.Marshal(map[string]string{"last_by_subj": subject})
	if err != nil {
		return last, err
	}
	api := "$JS.API."
	if p.config.Domain != "" {
		api = "$JS." + p.config.Domain + ".API."
	}
	ctx, cancel := context.WithTimeout(ctx, p.config.AckWait)
	defer cancel()
	reply, err := p.conn.RequestWithContext(ctx, api+"STREAM.MSG.GET."+p.config.Stream, request)
	if err != nil {
		return last, err
	}
	var answer struct {
		Message struct {
			Sequence uint64 `json:"seq"`
			Header   []byte `json:"hdrs"`
		} `json:"message"`
		Error *jetstream.APIError `json:"error"`
	}
	switch err := json.Unmarshal(reply.Data, &answer); {
	case err != nil:
		return last, err
	case answer.Error != nil && answer.Error.ErrorCode == jetstream.JSErrCodeMessageNotFound:
		return last, nil
	case answer.Error != nil:
		return last, answer.Error
	}
	last.sequence = answer.Message.Sequence
	if len(answer.Message.Header) > 0 {
		last.header, err = nats.DecodeHeadersMsg(answer.Message.Header)
	}
	return last, err
}
