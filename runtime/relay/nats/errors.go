package nats

import (
	"errors"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The error codes of the JetStream server that mean something of their own here; see server/errors.json in nats-server.
const (
	codeHeaderTooLarge jetstream.ErrorCode = 10097
	codeInProcess      jetstream.ErrorCode = 10158
)

// isLost reports whether a message was refused because the stream stands elsewhere than expected: a second relay, another
// producer, a message that was acknowledged to nobody.
func isLost(err error) bool {
	var refused *jetstream.APIError
	if !errors.As(err, &refused) {
		return errors.Is(err, errPublishedBefore)
	}
	switch refused.ErrorCode {
	case jetstream.JSErrCodeStreamWrongLastSequence, jetstream.JSErrCodeStreamWrongLastSequenceConstant, codeInProcess:
		return true
	}
	return false
}

// isFault reports whether an error is about the message: no broker in whatever state would take it.
func isFault(err error) bool {
	if errors.Is(err, nats.ErrMaxPayload) || errors.Is(err, nats.ErrBadSubject) {
		return true
	}
	var refused *jetstream.APIError
	if !errors.As(err, &refused) {
		return false
	}
	switch refused.ErrorCode {
	case jetstream.JSErrCodeStreamMessageExceedsMaximum, codeHeaderTooLarge:
		return true
	}
	return false
}
