package consumer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/eventmap/eventmap/runtime"
)

// A Runner drives consumers over a database. It is safe for concurrent use; [Runner.Run] and [Runner.RunUntilCaughtUp]
// exclude each other. Any number of runners, in any number of processes, can drive the same consumers.
type Runner[Tx any] struct {
	db        Database[Tx]
	logs      ManyLogs[Tx] // nil: there is one log
	config    Config
	consumers []*registered[Tx]
	running   atomic.Bool
	wake      chan struct{} // capacity 1: somebody knows that there is something to do
	waiters   waiters
}

// A Config is what concerns all consumers of a runner. The zero value is ready for use.
type Config struct {
	// Logger is told about failures, stops, troubles with the database and, as debug, batches. Nil means slog.Default();
	// runtime.NoOpLogger{} is none.
	Logger runtime.Logger
	// Hooks are told about the same, for metrics.
	Hooks Hooks
	// PollLeast and PollMost are how long the runner waits before it looks whether there is something to do: the least
	// right after there was, the most after there was nothing for a while. A look is one statement for all consumers. 0
	// means 10 ms and 1 s. With a store that notifies a channel, or with [Runner.Wake], it looks at once.
	PollLeast, PollMost time.Duration
	// StallAfter is how long the frontier may stand still before the end of the log, held back by an open transaction, until
	// that is reported as a [*StalledError], and how often it is reported from then on. 0 means 30 s, a negative duration
	// never.
	StallAfter time.Duration
	// RemindEvery is how often stopped segments are reported, with what to do about them; they also are when the runner
	// starts. 0 means 10 minutes, a negative duration never.
	RemindEvery time.Duration
	// StopGrace is how long handlers that are under way may take to finish once Run is to return; then their context ends.
	// 0 means 10 s, a negative duration that it ends at once.
	StopGrace time.Duration
}

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

// What a Registration and a Config are where they say nothing.
const (
	defaultBatchSize  = 500
	defaultBatchBytes = 8 << 20
	defaultBatchTime  = time.Second
	defaultAttempts   = 8
	defaultPollLeast  = 10 * time.Millisecond
	defaultPollMost   = time.Second
	defaultStopGrace  = 10 * time.Second
)

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

// New returns a runner. The error holds every problem with the registrations: a name that is used twice, is empty, is
// longer than 255 bytes or holds control characters; a scoped consumer without aggregate types; a number that is out of
// range. The database is not asked yet.
func New[Tx any](db Database[Tx], config Config, consumers ...Registration[Tx]) (*Runner[Tx], error) {
	if config.Logger == nil {
		config.Logger = runtime.SlogLogger(slog.Default())
	}
	if config.PollLeast == 0 {
		config.PollLeast = defaultPollLeast
	}
	if config.RemindEvery == 0 {
		config.RemindEvery = defaultRemindEvery
	}
	if config.StopGrace == 0 {
		config.StopGrace = defaultStopGrace
	}
	if config.StallAfter == 0 {
		config.StallAfter = defaultStallAfter
	}
	if config.PollMost == 0 {
		config.PollMost = max(defaultPollMost, config.PollLeast)
	}
	var problems []error
	if db == nil {
		problems = append(problems, errors.New("database is nil"))
	}
	if config.PollLeast < 0 || config.PollMost < config.PollLeast {
		problems = append(problems, fmt.Errorf("polling every %s to %s: give two positive durations, the shorter first", config.PollLeast, config.PollMost))
	}
	r := &Runner[Tx]{db: db, config: config, wake: make(chan struct{}, 1), waiters: waiters{watching: make(chan struct{}, 1)}}
	if db != nil {
		r.logs = manyLogs(db)
	}
	names := make(map[string]bool)
	for i, registration := range consumers {
		c, err := register(registration)
		if err == nil {
			err = r.checkLogs(c)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("consumer %d: %w", i, err))
			continue
		}
		if names[c.name] {
			problems = append(problems, fmt.Errorf("consumer %d: the name %q is used twice; a checkpoint is kept under it", i, c.name))
		}
		names[c.name] = true
		r.consumers = append(r.consumers, c)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return r, nil
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

// find returns the consumer of that name, or [ErrUnknownConsumer].
func (r *Runner[Tx]) find(name string) (*registered[Tx], error) {
	for _, c := range r.consumers {
		if c.name == name {
			return c, nil
		}
	}
	return nil, fmt.Errorf("%w: %q is not registered with this runner", ErrUnknownConsumer, name)
}

// Run drives the consumers until ctx is done. Handlers that are under way then finish the event in hand, for which they have
// [Config.StopGrace]; what was handled is committed, and Run returns nil once nothing is under way any more. A handler that
// does not finish in time is told so by its context, and its event is handled again the next time.
//
// It returns an error only at its start: [ErrCheckpointAhead], [ErrRunning], or what is wrong with the database or its
// tables. Later troubles with the database are logged and waited out, and a consumer that stops leaves the others running.
func (r *Runner[Tx]) Run(ctx context.Context) error {
	return r.run(ctx, nil)
}

// Wake makes the runner look at once whether there is something to do. It is for whoever has just committed an append in
// the same process, costs nothing, and is never needed.
func (r *Runner[Tx]) Wake() {
	select {
	case r.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// run drives the consumers until ctx is done or watch, which is called after each poll, says that it is enough. Watch may
// be nil. If it is not, the log is looked at as soon as there is nothing more to do.
func (r *Runner[Tx]) run(ctx context.Context, watch func(context.Context, LogState) (bool, error)) error {
	if !r.running.CompareAndSwap(false, true) {
		return ErrRunning
	}
	defer r.running.Store(false)
	if err := r.prepare(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	handling, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	running, stop := context.WithCancel(ctx)
	p := &poller[Tx]{runner: r, signals: make(map[string]chan struct{}, len(r.consumers))}
	var idle func()
	if watch != nil {
		idle = r.Wake
	}
	var group sync.WaitGroup
	for _, c := range r.consumers {
		signal := make(chan struct{}, 1)
		p.signals[c.name] = signal
		for range c.Workers {
			w := &worker[Tx]{runner: r, consumer: c, signal: signal, stopping: running.Done(), progress: &p.progress, idle: idle}
			group.Go(func() { w.run(handling) })
		}
	}
	group.Go(func() { p.listen(running) })
	err := p.run(running, watch)
	stop()
	grace := time.AfterFunc(max(r.config.StopGrace, 0), cancel)
	defer grace.Stop()
	group.Wait()
	return err
}

// prepare returns an error for what cannot run, and makes the checkpoints of consumers that have none.
func (r *Runner[Tx]) prepare(ctx context.Context) error {
	poll, err := r.poll(ctx)
	if err != nil {
		return fmt.Errorf("consumers: %w", err)
	}
	var problems []error
	for _, c := range r.consumers {
		var ahead error
		if s, ok := poll.of(c.name); ok {
			ahead = s.checkAhead(poll)
			if ahead == nil {
				ahead = r.verify(ctx, c.name)
			}
		}
		c.health.refuse(ahead)
		problems = append(problems, ahead)
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	for _, c := range r.consumers {
		if r.logs != nil {
			if err := r.adopt(ctx, c); err != nil {
				return fmt.Errorf("consumer %s: %w", c.name, err)
			}
			continue
		}
		err := r.in(ctx, func(tx Tx) error {
			start, err := r.start(ctx, tx, c.From, poll.Frontier)
			if err != nil {
				return err
			}
			return r.db.Create(ctx, tx, c.name, c.Segments, start)
		})
		if err != nil {
			return fmt.Errorf("consumer %s: %w", c.name, err)
		}
	}
	return nil
}

// of returns how a consumer stands, and whether it has any checkpoints.
func (p LogState) of(name string) (State, bool) {
	i := slices.IndexFunc(p.Consumers, func(s State) bool { return s.Consumer == name })
	if i < 0 {
		return State{Consumer: name}, false
	}
	return p.Consumers[i], true
}

// checkAhead returns [ErrCheckpointAhead] if a position of the consumer is one that the log has not reached.
func (s *State) checkAhead(p LogState) error {
	if s.Ahead != "" {
		return fmt.Errorf("consumer %s: %w: the checkpoint of log %q is behind its end; reset it, or accept the log, once you know why", s.Consumer, ErrCheckpointAhead, s.Ahead)
	}
	if s.End > 0 {
		return nil // each log was compared
	}
	if s.Highest <= p.Drawn {
		return nil
	}
	return fmt.Errorf("consumer %s: %w: it is at position %d and the log ends at %d; reset it, or accept the log, once you know why",
		s.Consumer, ErrCheckpointAhead, s.Highest, p.Drawn)
}

// check returns how a consumer that was prepared stands, or why it cannot be driven: [ErrCheckpointAhead], or
// [ErrUnknownConsumer] if its checkpoints are gone.
func (p LogState) check(name string) (State, error) {
	s, ok := p.of(name)
	if !ok {
		return s, fmt.Errorf("consumer %s: %w: its checkpoints are gone, by Forget or by hand; the next Run begins with the first event",
			name, ErrUnknownConsumer)
	}
	return s, s.checkAhead(p)
}

// Names returns the names of the registered consumers, in the order they were registered.
func (r *Runner[Tx]) Names() []string {
	names := make([]string, len(r.consumers))
	for i, c := range r.consumers {
		names[i] = c.name
	}
	return names
}

// in runs f in a transaction and commits it if f returns nil. Else, or if it cannot be committed, it is rolled back, which
// also gives its connection back.
func (r *Runner[Tx]) in(ctx context.Context, f func(tx Tx) error) error {
	tx, err := r.db.Begin(ctx)
	if err != nil {
		return err
	}
	committed := false
	defer func() {
		if !committed {
			_ = r.db.Rollback(ctx, tx) // what went wrong before says more
		}
	}()
	if err := f(tx); err != nil {
		return err
	}
	if err := r.db.Commit(ctx, tx); err != nil {
		return err
	}
	committed = true
	return nil
}
