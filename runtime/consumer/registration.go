package consumer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A Registration is a consumer and how it is to be driven.
type Registration[Tx any] struct {
	Consumer Consumer[Tx]
	// From is where the consumer begins when it runs for the first time; the zero value is [Beginning]. Later it is ignored.
	From Start
	// Logs are the logs that the consumer is for, where the database has many. The zero value is all of them.
	Logs Logs
	// Segments is how many segments the consumer gets when it runs for the first time. Later, [Runner.Resize] changes it,
	// and this is ignored. 0 means 1. Where there are many logs, workers share these, and there are no segments.
	Segments int
	// Workers is how many segments, or logs, this runner handles at a time, each with a connection of its own for a batch. 0 means as
	// many as Segments says.
	Workers int
	// BatchSize, BatchBytes and BatchTime are how many events at most one transaction handles, how many bytes of payloads
	// and metadata these hold together, and how long it takes: it commits after the event with which it reaches a limit in
	// time. What a handler locks stays locked for that long. A batch holds at least one event. 0 means 500 events, 8 MiB
	// and a second.
	BatchSize  int
	BatchBytes int64
	BatchTime  time.Duration
	// Transactional says that the handler has no effects but what it writes with its transaction. Then there is no savepoint
	// before each event until one fails, which makes quick handlers faster by a third or so and needs one transaction ID for a
	// batch; and a failing event has those before it handled again, once, after they were rolled back.
	Transactional bool
	// Timeout is how long handling one event may take. The context of the handler ends then; one that does not heed it
	// holds up its segment, and nothing else. 0 means without end.
	Timeout time.Duration
	// Attempts is how often an event is tried before Policy decides on it. 0 means 8, a negative number without end. A
	// transaction that the server broke off to let another one go on (runtime.Retryable) is first tried again at once.
	Attempts int
	// Backoff is how long to wait between attempts.
	Backoff Backoff
	// Policy is what happens after the last attempt.
	Policy Policy
	// Unknown is what happens to an event whose type or version this process does not know.
	Unknown UnknownPolicy
}

// maxName is how long the name of a consumer may be, in bytes.
const maxName = 255

// registered is a registration, complete and checked.
type registered[Tx any] struct {
	Registration[Tx]
	name  string
	types []string // nil: all
	// batches is the consumer if it takes many events at a time, or nil.
	batches  BatchConsumer[Tx]
	preparer Preparer[Tx]

	health health
	waits  waits
	due    dueLogs
}

// register completes and checks a registration.
func register[Tx any](r Registration[Tx]) (*registered[Tx], error) {
	if r.Consumer == nil {
		return nil, errors.New("is nil")
	}
	c := &registered[Tx]{Registration: r, name: r.Consumer.Name()}
	if err := checkName(c.name); err != nil {
		return nil, err
	}
	if scoped, ok := r.Consumer.(ScopedConsumer[Tx]); ok {
		c.types = slices.Clone(scoped.AggregateTypes())
		if len(c.types) == 0 {
			return nil, fmt.Errorf("%s wants no aggregate type at all", c.name)
		}
	}
	c.batches, _ = r.Consumer.(BatchConsumer[Tx])
	c.preparer, _ = r.Consumer.(Preparer[Tx])
	set := func(n *int, otherwise int) {
		if *n == 0 {
			*n = otherwise
		}
	}
	set(&c.Segments, 1)
	set(&c.Workers, c.Segments)
	set(&c.BatchSize, defaultBatchSize)
	set(&c.Attempts, defaultAttempts)
	if c.BatchBytes == 0 {
		c.BatchBytes = defaultBatchBytes
	}
	if c.BatchTime == 0 {
		c.BatchTime = defaultBatchTime
	}
	if c.Backoff.First == 0 {
		c.Backoff.First = defaultFirst
	}
	if c.Backoff.Most == 0 {
		c.Backoff.Most = max(defaultMost, c.Backoff.First)
	}
	switch {
	case c.From.check() != nil:
		return nil, fmt.Errorf("%s: %w", c.name, c.From.check())
	case c.Logs.check() != nil:
		return nil, fmt.Errorf("%s: %w", c.name, c.Logs.check())
	case checkSegments(c.Segments) != nil:
		return nil, fmt.Errorf("%s: %w", c.name, checkSegments(c.Segments))
	case c.Workers < 0, c.BatchSize < 0, c.BatchBytes < 0, c.BatchTime < 0, c.Timeout < 0, c.Backoff.First < 0, c.Backoff.Most < c.Backoff.First:
		return nil, fmt.Errorf("%s: workers, limits of a batch, timeout and backoff cannot be negative, nor can a backoff be at most less than at first", c.name)
	case c.Policy != Stop && c.Policy != Park:
		return nil, fmt.Errorf("%s: there is no policy %d", c.name, c.Policy)
	case c.Unknown < WaitUnknown || c.Unknown > ParkUnknown:
		return nil, fmt.Errorf("%s: there is no policy %d for unknown events", c.name, c.Unknown)
	}
	return c, nil
}

func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("has no name")
	case len(name) > maxName:
		return fmt.Errorf("has a name of %d bytes, %.20q...; the longest is %d", len(name), name, maxName)
	case !utf8.ValidString(name), strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Errorf("has the name %q; use valid UTF-8 without control characters", name)
	}
	return nil
}

func checkSegments(n int) error {
	if n < 1 || n > MaxSegments {
		return fmt.Errorf("%d segments; give 1 to %d", n, MaxSegments)
	}
	return nil
}
