package postgres

import (
	"fmt"
	"strings"
)

// streams looks at a sample of the streams: those that were appended to last, and those at either end of the heads. The
// head of each is compared with the last events, of which none may lack and none may have a lower position than the one
// before. It is one statement, and so one snapshot: an append in flight looks like no fault.
func (k *checker) streams() error {
	if !k.readable || k.strewn || k.mixed { // names of different collations cannot be compared
		return nil
	}
	var p streamSample
	archived := k.floor > 0
	if !k.tables.citus {
		return k.rendered("streams.sql", p.dest(), func() { p.problems(k, archived) }, archived)
	}
	// There a statement is about one log.
	var log string
	var logs []string
	if err := k.rendered("busiest_logs.sql", []any{&log}, func() { logs = append(logs, log) }); err != nil {
		return err
	}
	for _, log := range logs {
		if err := k.rendered("streams.sql", p.dest(), func() { p.problems(k, archived) }, archived, log); err != nil {
			return err
		}
	}
	return nil
}

// A streamSample is what is known of the end of a stream.
type streamSample struct {
	log, aggregateType, aggregateID string
	head                            int64 // as the table of heads has it; 0: not
	last, first, events             int64 // of the last events that were looked at
	inverted                        int64 // version of an event whose position is not above that of the one before; 0: none
}

func (p *streamSample) dest() []any {
	return []any{&p.log, &p.aggregateType, &p.aggregateID, &p.head, &p.last, &p.events, &p.first, &p.inverted}
}

// headRemedy says what makes the head end where the events do. A head has a version above 0.
func (p *streamSample) headRemedy() string {
	if p.last == 0 {
		return "delete the head"
	}
	return fmt.Sprintf("set the head to %d", p.last)
}

// problems reports what is wrong with the stream. Where the log is archived, streams may begin later than at 1.
func (p *streamSample) problems(k *checker, archived bool) {
	stream := fmt.Sprintf("stream %s %q", p.aggregateType, p.aggregateID)
	if p.log != "" {
		stream = fmt.Sprintf("log %q, %s", p.log, stream)
	}
	switch {
	case p.head > p.last:
		k.problem(stream, fmt.Sprintf("has its head at version %d, but its events end at %d: reads of it fail", p.head, p.last),
			"bring the events back; if they are lost for good, "+p.headRemedy())
	case p.head < p.last:
		k.mend(stream, fmt.Sprintf("has its head at version %d, but events up to %d: appends to it fail", p.head, p.last), fmt.Sprintf(
			"insert into %s as h (%saggregate_type, aggregate_id, aggregate_version) values (%s%s, %s, %d) "+
				"on conflict (%[2]saggregate_type, aggregate_id) do update set aggregate_version = greatest(h.aggregate_version, excluded.aggregate_version)",
			k.tables.heads.Quoted(), p.key(), p.logLiteral(), literal(p.aggregateType), literal(p.aggregateID), p.last))
	}
	switch {
	case p.events == 0: // the head has said so
	case p.events > p.last-p.first+1:
		k.problem(stream, fmt.Sprintf("holds a version more than once between %d and %d: reads of it fail", p.first, p.last), "take out the events that do not belong there")
	case p.events < p.last-p.first+1:
		k.problem(stream, fmt.Sprintf("lacks versions between %d and %d: reads of it fail", p.first, p.last), "bring the events back")
	case p.inverted > 0 || p.head != p.last || archived:
	default:
		k.problem(stream, "lacks its first versions: reads of it fail", "bring the events back, or read it from a version on that is there")
	}
	if p.inverted > 0 {
		k.problem(stream, fmt.Sprintf("has version %d at a lower position than the version before it: readers of the log see them in that order", p.inverted),
			"find out what wrote past the store; rebuild the consumers that depend on the order")
	}
}

// key returns the column of the log as part of a key, and logLiteral its value; nothing where there is one log.
func (p *streamSample) key() string {
	if p.log == "" {
		return ""
	}
	return "log, "
}

func (p *streamSample) logLiteral() string {
	if p.log == "" {
		return ""
	}
	return literal(p.log) + ", "
}

// literal returns s as a string constant of SQL.
func literal(s string) string {
	quoted := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	if strings.Contains(s, `\`) {
		return " E" + strings.ReplaceAll(quoted, `\`, `\\`)
	}
	return quoted
}
