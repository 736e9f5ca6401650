package postgres

import (
	"context"
	"fmt"

	"github.com/eventmap/eventmap/runtime/consumer"
)

// On Citus the logs are on the nodes, and checkpoints on the coordinator, with what handlers write there. What is one statement elsewhere is one
// to the nodes and one to the coordinator here. A checkpoint is read first, and the end of its log after: so it is never ahead of a sound log.

// nodeStatements are the SQL texts of consumers on Citus.
type nodeStatements struct {
	place     string // of one log
	places    string
	starts    string
	introduce string
	adopt     string
}

// givenLogs is what stands for the table of logs in statements to the coordinator: where logs end, as the nodes have said.
const givenLogs = "(\n\tselect\n\t\tu.log,\n\t\tu.position,\n\t\tnull::timestamptz as dropped_at\n\tfrom unnest($logs::text[], $ends::bigint[]) as u (log, position)\n)"

// noEvent is what a checkpoint names that is before the first event.
const noEvent = "00000000-0000-0000-0000-000000000000"

// A place is what a node knows of a log, seen from a position in it.
type place struct {
	end     int64
	eventID string // of the event at the position; empty: there is none
}

// A position is a position in a log.
type position struct {
	log string
	at  int64
}

// A namedEvent is the event that a checkpoint names. At position 0 it names none.
type namedEvent struct {
	at int64
	id string
}

// places asks the nodes about positions, one for each log. A log that does not exist, or was dropped, is not among the answers.
func (c *Consumers[Tx]) places(ctx context.Context, q querier, positions ...position) (map[string]place, error) {
	var statement query
	switch len(positions) {
	case 0:
		return nil, nil
	case 1:
		statement = query{c.sql.nodes.place, []any{positions[0].log, positions[0].at}}
	default:
		logs, at := make([]string, len(positions)), make([]int64, len(positions))
		for i, p := range positions {
			logs[i], at[i] = p.log, p.at
		}
		statement = query{c.sql.nodes.places, []any{logs, at}}
	}
	r, err := q.query(ctx, statement)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	places := make(map[string]place, len(positions))
	for r.Next() {
		var log string
		var p place
		if err := r.Scan(&log, &p.end, &p.eventID); err != nil {
			return nil, err
		}
		places[log] = p
	}
	r.Close()
	return places, r.Err()
}

// namedAt returns the ID of the event at a position for a checkpoint to name.
func (p place) namedAt(at int64) string {
	if at == 0 || p.eventID == "" {
		return noEvent
	}
	return p.eventID
}

// isAstray reports whether the log has another event than the one that a checkpoint names.
func (n namedEvent) isAstray(p place) bool { return n.at > 0 && p.eventID != "" && p.eventID != n.id }

// reached returns up to where a checkpoint at a position has handled events, or skips them.
func reached(checkpoint *consumer.Checkpoint) int64 {
	highest := checkpoint.Position
	for _, handled := range checkpoint.Handled {
		highest = max(highest, handled)
	}
	return highest
}

// checkpointsOnCitus returns the checkpoints that a statement to the coordinator has, with what the nodes know of them.
func (c *Consumers[Tx]) checkpointsOnCitus(ctx context.Context, q querier, name string, s query) ([]consumer.Checkpoint, error) {
	var names []namedEvent
	checkpoints, err := collect(ctx, q, s, func(r rows) (consumer.Checkpoint, error) {
		var named namedEvent
		checkpoint, err := scanCheckpoint(r, name, &named.at, &named.id)
		names = append(names, named)
		return checkpoint, err
	})
	if err != nil {
		return nil, err
	}
	positions := make([]position, len(checkpoints))
	for i := range checkpoints {
		positions[i] = position{checkpoints[i].Log, names[i].at}
	}
	places, err := c.places(ctx, q, positions...)
	for i := range checkpoints {
		p := places[checkpoints[i].Log]
		checkpoints[i].LogEnd, checkpoints[i].Astray = p.end, names[i].isAstray(p)
	}
	return checkpoints, err
}

// claimOnCitus locks a checkpoint on the coordinator and then asks the node how far its log is. Where that has nothing to do, it takes the next of
// those that are asked for; the locks of those it has passed last as long as its own.
func (c *Consumers[Tx]) claimOnCitus(ctx context.Context, q querier, name string, wanted consumer.ClaimQuery) (*consumer.Claim, error) {
	anyOne := wanted.Segment == consumer.AnySegment
	for passed := []string{}; ; {
		statement := query{c.sql.claim, []any{name, wanted.Log}}
		if anyOne {
			statement = query{c.sql.claimAny, []any{name, wanted.Logs, passed}}
		}
		var named namedEvent
		claims, err := collect(ctx, q, statement, func(r rows) (claim consumer.Claim, err error) {
			claim.Checkpoint, err = scanCheckpoint(r, name, &named.at, &named.id, &claim.Frontier, &claim.Transaction)
			return claim, err
		})
		if err != nil || len(claims) == 0 {
			return nil, err
		}
		claim := &claims[0]
		places, err := c.places(ctx, q, position{claim.Log, named.at})
		if err != nil {
			return nil, err
		}
		p, there := places[claim.Log]
		claim.Frontier, claim.LogEnd, claim.Astray = p.end, p.end, named.isAstray(p)
		switch {
		case there && (!anyOne || claim.Position < claim.Frontier):
			return claim, nil
		case !anyOne:
			return nil, nil
		}
		passed = append(passed, claim.Log)
	}
}

// saved returns the argument of a statement that saves a claim: the event that the checkpoint names from now on.
func (c *Consumers[Tx]) saved(ctx context.Context, q querier, claim *consumer.Claim) (string, error) {
	at := reached(&claim.Checkpoint)
	places, err := c.places(ctx, q, position{claim.Log, at})
	return places[claim.Log].namedAt(at), err
}

// namedBy returns the events that checkpoints are to name, in their order.
func (c *Consumers[Tx]) namedBy(ctx context.Context, q querier, checkpoints []consumer.Checkpoint) ([]string, error) {
	var positions []position
	for i := range checkpoints {
		if at := reached(&checkpoints[i]); at > 0 {
			positions = append(positions, position{checkpoints[i].Log, at})
		}
	}
	places, err := c.places(ctx, q, positions...)
	names := make([]string, len(checkpoints))
	for i := range checkpoints {
		names[i] = places[checkpoints[i].Log].namedAt(reached(&checkpoints[i]))
	}
	return names, err
}

// adoptOnCitus is Adopt: the nodes say which logs there are, and where to start in them.
func (c consumerLogs[Tx]) adoptOnCitus(ctx context.Context, q querier, of consumer.LogsOf, start consumer.LogsStart) error {
	introduced, err := collect(ctx, q, query{c.sql.nodes.introduce, []any{of.Consumer}}, func(r rows) (n int, err error) {
		return n, r.Scan(&n)
	})
	if err != nil {
		return err
	}
	first := len(introduced) > 0
	kind, at := startArguments(start)
	if !first { // later logs are new as a whole
		kind, at = atBeginning, nil
	}
	var logs, names []string
	var ends, starts []int64
	var positions []position
	r, err := q.query(ctx, query{c.sql.nodes.starts, []any{of.Logs == nil, of.Logs, kind, at}})
	if err != nil {
		return err
	}
	defer r.Close()
	for r.Next() {
		var log string
		var end, from int64
		if err := r.Scan(&log, &end, &from); err != nil {
			return err
		}
		if !first {
			end = 0
		}
		logs, ends, starts = append(logs, log), append(ends, end), append(starts, from)
		if from > 0 {
			positions = append(positions, position{log, from})
		}
	}
	r.Close()
	if err := r.Err(); err != nil {
		return err
	}
	places, err := c.places(ctx, q, positions...)
	if err != nil {
		return err
	}
	for i, log := range logs {
		names = append(names, places[log].namedAt(starts[i]))
	}
	return exec(ctx, q, query{c.sql.nodes.adopt, []any{of.Consumer, logs, starts, ends, names}})
}

// givenEnds returns where logs end, as arguments of a statement that has [givenLogs]; nothing where the statement asks for itself.
func (c consumerLogs[Tx]) givenEnds(ctx context.Context, q querier, logs []string) ([]any, error) {
	if !c.tables.citus {
		return nil, nil
	}
	ends, err := c.ends(ctx, q, logs)
	if err != nil {
		return nil, err
	}
	names, positions := make([]string, len(ends)), make([]int64, len(ends))
	for i, e := range ends {
		names[i], positions[i] = e.log, e.at
	}
	return []any{names, positions}, nil
}

// overtaken reports whether a log that a poll has found to be behind a checkpoint is not: the end that the poll was given was read before the
// checkpoint, which may have moved on since.
func (c consumerLogs[Tx]) overtaken(ctx context.Context, name, log string) (bool, error) {
	var at int64
	if err := queryRow(ctx, c.db, query{
		"-- eventmap: where a checkpoint is\nselect coalesce((select position from " + c.tables.checkpoints.Quoted() + " where consumer = $1::text and log = $2::text), 0)",
		[]any{name, log},
	}, &at); err != nil {
		return false, err
	}
	places, err := c.places(ctx, c.db, position{log, at})
	return places[log].end >= at, err
}

// pollOnCitus is Poll: the nodes say how far the logs are, and the coordinator how far the consumers.
func (c consumerLogs[Tx]) pollOnCitus(ctx context.Context, consumers []consumer.LogsOf, most int) (consumer.LogState, error) {
	logs := []string{}
	for _, of := range consumers {
		if of.Logs == nil {
			logs = nil
			break
		}
		logs = append(logs, of.Logs...)
	}
	for {
		given, err := c.givenEnds(ctx, c.db, logs)
		if err != nil {
			return consumer.LogState{}, fmt.Errorf("poll: %w", c.classify(err))
		}
		poll, err := c.pollGiven(ctx, consumers, most, given)
		if err != nil {
			return poll, err
		}
		again := false
		for _, s := range poll.Consumers {
			if s.Ahead == "" || again {
				continue
			}
			if again, err = c.overtaken(ctx, s.Consumer, s.Ahead); err != nil {
				return consumer.LogState{}, fmt.Errorf("poll: %w", c.classify(err))
			}
		}
		if !again {
			return poll, nil
		}
	}
}
