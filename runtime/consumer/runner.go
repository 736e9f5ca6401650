package consumer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

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
