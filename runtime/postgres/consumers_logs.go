package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/eventmap/eventmap/runtime/consumer"
)

// consumerLogStatements are the SQL texts of consumers of many logs.
type consumerLogStatements struct {
	poll     string
	adopt    string
	reached  string
	ends     string
	end      string
	standing string
	foremost string
}

// ManyLogs returns what a runner needs of many logs, and false where there is one; see [consumer.ManyLogs].
func (c *Consumers[Tx]) ManyLogs() (consumer.ManyLogs[Tx], bool) {
	if !c.tables.areMany() {
		return nil, false
	}
	return consumerLogs[Tx]{c}, true
}

// consumerLogs are the consumers of many logs.
type consumerLogs[Tx any] struct{ *Consumers[Tx] }

// Poll looks at the logs and at the checkpoints, in one statement; see [consumer.ManyLogs].
func (c consumerLogs[Tx]) Poll(ctx context.Context, consumers []consumer.LogsOf, most int) (consumer.LogState, error) {
	if c.tables.citus {
		return c.pollOnCitus(ctx, consumers, most)
	}
	return c.pollGiven(ctx, consumers, most, nil)
}

// pollGiven is Poll, given where logs end if the statement cannot ask for itself.
func (c consumerLogs[Tx]) pollGiven(ctx context.Context, consumers []consumer.LogsOf, most int, ends []any) (consumer.LogState, error) {
	var names, consumersOf, logs []string
	var every []bool
	for _, of := range consumers {
		names, every = append(names, of.Consumer), append(every, of.Logs == nil)
		for _, log := range of.Logs {
			consumersOf, logs = append(consumersOf, of.Consumer), append(logs, log)
		}
	}
	var poll consumer.LogState
	states, err := collect(ctx, c.db, query{c.sql.logs.poll, append([]any{names, every, consumersOf, logs, int64(most)}, ends...)}, func(r rows) (polledConsumer, error) {
		var p polledConsumer
		var due string
		var retryIn float64
		err := r.Scan(&p.Consumer, &p.there, &p.ends, &p.Lowest, &p.New, &p.Ahead, &p.Stopped, &retryIn, &due)
		if err == nil {
			err = json.Unmarshal([]byte(due), &p.DueLogs)
		}
		p.Highest, p.Due, p.RetryIn = p.Lowest, len(p.DueLogs) > 0, seconds(retryIn)
		return p, err
	})
	if err != nil {
		return consumer.LogState{}, fmt.Errorf("poll: %w", c.classify(err))
	}
	for _, p := range states {
		poll.Drawn, poll.Frontier = max(poll.Drawn, p.ends), max(poll.Frontier, p.ends)
		p.End = p.ends
		if p.there {
			poll.Consumers = append(poll.Consumers, p.State)
		}
	}
	return poll, nil
}

// A polledConsumer is a consumer as a poll has it.
type polledConsumer struct {
	consumer.State
	there bool // it has run before
	ends  int64
}

// Adopt creates the checkpoints of a consumer for the logs that are new to it; see [consumer.ManyLogs].
func (c consumerLogs[Tx]) Adopt(ctx context.Context, tx Tx, of consumer.LogsOf, start consumer.LogsStart) error {
	q := c.transactions.bind(tx)
	var err error
	if c.tables.citus {
		err = c.adoptOnCitus(ctx, q, of, start)
	} else {
		kind, at := startArguments(start)
		err = exec(ctx, q, query{c.sql.logs.adopt, []any{of.Consumer, of.Logs == nil, of.Logs, kind, at}})
	}
	if err != nil {
		return fmt.Errorf("create checkpoints: %w", c.classify(err))
	}
	return nil
}

// atBeginning is the kind of a start before the first event.
const atBeginning = "beginning"

// startArguments returns a start as arguments: its kind, and the time if it is one.
func startArguments(start consumer.LogsStart) (kind string, at *time.Time) {
	kind = atBeginning
	if start.Now {
		kind = "now"
	}
	if !start.At.IsZero() {
		at = &start.At
	}
	return kind, at
}

// Reached reports whether a consumer has handled logs up to positions; see [consumer.ManyLogs].
func (c consumerLogs[Tx]) Reached(ctx context.Context, name string, positions map[string]int64) (reached bool, err error) {
	logs, ends := make([]string, 0, len(positions)), make([]int64, 0, len(positions))
	for log, position := range positions {
		logs, ends = append(logs, log), append(ends, position)
	}
	given, err := c.givenEnds(ctx, c.db, logs)
	if err == nil {
		err = queryRow(ctx, c.db, query{c.sql.logs.reached, append([]any{name, logs, ends}, given...)}, &reached)
	}
	if err != nil {
		return false, fmt.Errorf("has a consumer reached positions: %w", c.classify(err))
	}
	return reached, nil
}

// Ends returns how far logs are; see [consumer.ManyLogs].
func (c consumerLogs[Tx]) Ends(ctx context.Context, logs []string) (map[string]int64, error) {
	ends, err := c.ends(ctx, c.db, logs)
	if err != nil {
		return nil, fmt.Errorf("ends of logs: %w", c.classify(err))
	}
	all := make(map[string]int64, len(ends))
	for _, e := range ends {
		if e.at > 0 {
			all[e.log] = e.at
		}
	}
	return all, nil
}

// ends returns where logs end, also those without events; all logs for nil.
func (c consumerLogs[Tx]) ends(ctx context.Context, q querier, logs []string) ([]position, error) {
	return collect(ctx, q, query{c.sql.logs.ends, []any{logs == nil, logs}}, func(r rows) (p position, err error) {
		err = r.Scan(&p.log, &p.at)
		return p, err
	})
}

// Standing returns how a consumer stands in all logs together, and in those that matter most; see [consumer.ManyLogs].
func (c consumerLogs[Tx]) Standing(ctx context.Context, tx Tx, name string, most int) (consumer.LogsStatus, []consumer.Checkpoint, error) {
	var s consumer.LogsStatus
	q := c.transactions.bind(tx)
	given, err := c.givenEnds(ctx, q, nil)
	if err == nil {
		err = queryRow(ctx, q, query{c.sql.logs.standing, append([]any{name}, given...)}, &s.Logs, &s.Behind, &s.Stopped, &s.Events)
	}
	var foremost []consumer.Checkpoint
	switch {
	case err != nil:
	case c.tables.citus:
		foremost, err = c.checkpointsOnCitus(ctx, q, name, query{c.sql.logs.foremost, append([]any{name, int64(most)}, given...)})
	default:
		foremost, err = collect(ctx, q, query{c.sql.logs.foremost, []any{name, int64(most)}}, func(r rows) (consumer.Checkpoint, error) {
			return scanCheckpoint(r, name)
		})
	}
	if err != nil {
		return consumer.LogsStatus{}, nil, fmt.Errorf("standing in logs: %w", c.classify(err))
	}
	return s, foremost, nil
}
